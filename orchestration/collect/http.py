"""One remote host: time limits, pauses, retries of what may be retried, and no secret in any message.

Belongs here: bytes over HTTP, whatever they mean. Does not belong here: a source's own status codes;
a source's client raises `TransientError` for those that a second attempt may cure.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import urlsplit

import httpx
import tenacity

MAX_REPLY = 1024 * 1024 * 1024
"""A reply larger than this is broken off: no table of the offices is nearly as large."""

T = TypeVar("T")


class SourceError(RuntimeError):
    """A source did not deliver, and asking again tonight would not help. Holds no secret."""


class TransientError(SourceError):
    """A source did not deliver this time; asking again may help."""


class UncertainError(TransientError):
    """The request may have reached the source, but no reply came back whole.

    Only requests that change nothing over there may simply be sent again.
    """


class BudgetError(SourceError):
    """The night's time for collecting is used up."""


@dataclass(frozen=True)
class Limits:
    """How a host is treated. Seconds; `attempts` counts the first one too."""

    parallel: int = 1
    pause: float = 1.0
    connect: float = 30.0
    read: float = 300.0
    whole_reply: float = 1800.0
    attempts: int = 4
    first_wait: float = 2.0
    longest_wait: float = 120.0


@dataclass
class Budget:
    """The time a night may spend on collecting, shared by all hosts."""

    seconds: float
    clock: Callable[[], float] = time.monotonic
    started: float = field(init=False)

    def __post_init__(self) -> None:
        self.started = self.clock()

    @property
    def left(self) -> float:
        return self.seconds - (self.clock() - self.started)

    def require(self) -> None:
        """Raises BudgetError once the time is used up."""
        if self.left <= 0:
            raise BudgetError(f"the night's {self.seconds / 60:g} minutes for collecting are used up")


@dataclass(frozen=True)
class Received:
    """A whole reply."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    at: dt.datetime


class Transport:
    """Requests to one host. Thread-safe; at most `limits.parallel` requests at a time."""

    def __init__(
        self,
        base_url: str,
        limits: Limits,
        budget: Budget,
        *,
        headers: Mapping[str, str] | None = None,
        secrets: tuple[str, ...] = (),
    ) -> None:
        self.base_url = base_url.rstrip("/") + "/"
        self.host = urlsplit(base_url).netloc
        self.limits, self.budget = limits, budget
        self._secrets = tuple(secret for secret in secrets if len(secret) > 2)
        self._slots = threading.BoundedSemaphore(limits.parallel)
        self._pace = threading.Lock()
        self._next_at = 0.0
        self._client = httpx.Client(
            # UTF-8, as the services read names and passwords with umlauts.
            headers=[
                (k.encode(), v.encode())
                for k, v in {"User-Agent": "bildungsmonitor", **(headers or {})}.items()
            ],
            timeout=httpx.Timeout(limits.read, connect=limits.connect),
            # Never followed: the credentials in the headers belong to this host only.
            follow_redirects=False,
        )

    def close(self) -> None:
        self._client.close()

    def scrub(self, text: str) -> str:
        """The text without any secret of this host, should the host have repeated one."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return " ".join(text.split())[:300]

    def attempt(self, call: Callable[[], T], *, again: type[TransientError] = TransientError) -> T:
        """Run `call`, again after a growing pause while it raises TransientError.

        An UncertainError is repeated only if `again` admits it. Raises the last error, or
        BudgetError.
        """
        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(self.limits.attempts),
            wait=tenacity.wait_exponential_jitter(
                multiplier=self.limits.first_wait, max=self.limits.longest_wait, jitter=self.limits.first_wait
            ),
            retry=tenacity.retry_if_exception(lambda error: _may_repeat(error, again)),
            before_sleep=lambda _: self.budget.require(),
            reraise=True,
        )
        return retrying(call)

    def send(
        self,
        method: str,
        path: str,
        *,
        data: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Received:
        """One request, one whole reply, no retry.

        Raises TransientError if the host could not be reached or answers that it can't now,
        UncertainError if the reply broke off, SourceError for a redirect.
        """
        self.budget.require()
        url = path if path.startswith(("http://", "https://")) else self.base_url + path
        with self._slots:
            self._wait_for_turn()
            reply = self._exchange(method, url, data, params)
        if 300 <= reply.status < 400:
            target = urlsplit(reply.headers.get("location", "")).netloc or "nowhere"
            raise SourceError(
                f"{self.host}: redirects to {target}; not followed, because the credentials are "
                f"this host's only: configure the new address"
            )
        if reply.status == 429:
            raise TransientError(f"{self.host}: HTTP 429")
        if reply.status >= 500:  # what a gateway gave up on may have been done behind it
            raise UncertainError(f"{self.host}: HTTP {reply.status}")
        return reply

    def _wait_for_turn(self) -> None:
        with self._pace:
            now = time.monotonic()
            if (wait := self._next_at - now) > 0:
                time.sleep(wait)
            self._next_at = time.monotonic() + self.limits.pause

    def _exchange(
        self, method: str, url: str, data: Mapping[str, str] | None, params: Mapping[str, str] | None
    ) -> Received:
        ends = time.monotonic() + min(self.limits.whole_reply, max(self.budget.left, 1.0))
        try:
            with self._client.stream(method, url, data=data, params=params) as response:
                body = bytearray()
                for chunk in response.iter_bytes():
                    body += chunk
                    if time.monotonic() > ends:
                        raise UncertainError(f"{self.host}: the reply took too long and was broken off")
                    if len(body) > MAX_REPLY:
                        raise SourceError(f"{self.host}: a reply of more than {MAX_REPLY} bytes")
                return Received(response.status_code, response.headers, bytes(body), dt.datetime.now(dt.UTC))
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise TransientError(self.scrub(f"{self.host}: not reached ({type(error).__name__})")) from None
        except (httpx.TransportError, httpx.DecodingError) as error:
            # The error's own words may quote a header: its kind says enough.
            raise UncertainError(f"{self.host}: the reply broke off ({type(error).__name__})") from None


def _may_repeat(error: BaseException, again: type[TransientError]) -> bool:
    if isinstance(error, UncertainError):
        return again is UncertainError
    return isinstance(error, TransientError)
