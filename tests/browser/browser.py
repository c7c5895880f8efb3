"""A real Chromium without a window: Qt's own, from a wheel, in a process of its own, spoken to by DevTools' protocol.

Belongs here: opening a page, keys, pictures, axe-core. Does not belong here: what a page must be like.
"""

from __future__ import annotations

import base64
import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import websocket

from tests.support.servers import free_port

_WINDOW = """
import sys
from PySide6.QtCore import QUrl
from PySide6.QtWidgets import QApplication
from PySide6.QtWebEngineWidgets import QWebEngineView
application = QApplication(sys.argv[:1])
view = QWebEngineView()
view.setUrl(QUrl("about:blank"))
view.show()
application.exec()
"""

_SECONDS = 60


class BrowserError(RuntimeError):
    """The browser does not start or does not answer; says why."""


class Browser:
    """One page of a headless Chromium; use it as a context manager."""

    def __init__(self, width: int = 1280, height: int = 900) -> None:
        self._size = (width, height)
        self._said: list[str] = []
        self._ready = threading.Event()
        self._number = 0

    def __enter__(self) -> Browser:
        self._folder = tempfile.TemporaryDirectory(prefix="browser-")
        self._port = free_port()  # Qt takes no port 0
        environment = {
            **os.environ, "HOME": self._folder.name, "LC_ALL": "C.UTF-8", "QT_QPA_PLATFORM": "offscreen",
            # Nothing but our own files is opened; a sandbox needs rights that a container seldom has.
            "QTWEBENGINE_DISABLE_SANDBOX": "1",
            "QTWEBENGINE_REMOTE_DEBUGGING": f"127.0.0.1:{self._port}",
            "QTWEBENGINE_CHROMIUM_FLAGS": "--disable-gpu --disable-dev-shm-usage --disable-background-networking "
            "--force-device-scale-factor=1",
        }  # fmt: skip
        self._process = subprocess.Popen(
            [sys.executable, "-c", _WINDOW], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            text=True, errors="replace",
        )  # fmt: skip
        threading.Thread(target=self._listen, daemon=True).start()
        try:
            if not self._ready.wait(_SECONDS) or self._process.poll() is not None:
                raise BrowserError(f"did not start: {' | '.join(self._said[-4:])}")
            self._attach()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()
        self._stop()

    def _stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()

    def _listen(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._said.append(line.strip())
            if "DevTools listening on" in line:
                self._ready.set()
        self._ready.set()

    def _attach(self) -> None:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        end = time.monotonic() + _SECONDS
        pages: list[dict[str, Any]] = []
        while not pages:
            if time.monotonic() > end:
                raise BrowserError("has no page")
            with opener.open(f"http://127.0.0.1:{self._port}/json/list", timeout=10) as answer:
                pages = [t for t in json.load(answer) if t["type"] == "page"]
            time.sleep(0.05)
        self._socket = websocket.create_connection(
            pages[0]["webSocketDebuggerUrl"], timeout=_SECONDS, suppress_origin=True, http_no_proxy=["*"]
        )
        for method, parameters in (
            ("Page.enable", {}), ("Runtime.enable", {}), ("Emulation.setFocusEmulationEnabled", {"enabled": True}),
            ("Emulation.setScrollbarsHidden", {"hidden": True}),
        ):  # fmt: skip
            self._ask(method, **parameters)
        self._resize(*self._size)

    def _resize(self, width: int, height: int) -> None:
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._ask("Emulation.setDeviceMetricsOverride", **size)

    @contextmanager
    def sized(self, width: int, height: int) -> Iterator[None]:
        """Another size of the window for a while."""
        self._resize(width, height)
        try:
            yield
        finally:
            self._resize(*self._size)

    def _ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise BrowserError(f"{method}: {answer['error']}")
                result: dict[str, Any] = answer["result"]
                return result

    def open(self, url: str) -> None:
        """Go to an address and wait until the page is whole."""
        answer = self._ask("Page.navigate", url=url)
        if answer.get("errorText"):
            raise BrowserError(f"{url}: {answer['errorText']}")
        end = time.monotonic() + _SECONDS
        while self.run("[document.readyState, location.href]") != ["complete", url]:
            if time.monotonic() > end:
                raise BrowserError(f"{url}: not whole")
            time.sleep(0.03)

    def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        for _ in range(50):
            try:
                answer = self._ask(
                    "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
                )
            except BrowserError as error:  # between two pages there is none
                if "context" not in str(error):
                    raise
                time.sleep(0.05)
                continue
            if "exceptionDetails" in answer:
                raise BrowserError(json.dumps(answer["exceptionDetails"])[:800])
            return answer["result"].get("value")
        raise BrowserError("no page to run a script in")

    def violations(self) -> list[dict[str, Any]]:
        """What axe-core finds against WCAG 2 A and AA, each with its impact and the elements."""
        found = importlib.util.find_spec("axe_core_python")
        assert found is not None
        assert found.origin is not None
        self.run((Path(found.origin).parent / "axe.min.js").read_text(encoding="utf-8") + ";0")
        result: list[dict[str, Any]] = self.run(
            "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']}).then(r => r.violations)"
        )
        return result

    def picture(self, path: Path) -> None:
        """The whole page as a PNG."""
        size = self._ask("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        answer = self._ask("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        path.write_bytes(base64.b64decode(answer["data"]))

    def tab(self) -> str:
        """Press Tab; what has the focus then: tag, id or text."""
        key = {"key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9}
        self._ask("Input.dispatchKeyEvent", type="rawKeyDown", **key)
        self._ask("Input.dispatchKeyEvent", type="keyUp", **key)
        focused = self.run(
            "[document.activeElement.tagName, (document.activeElement.textContent || '').trim().slice(0, 60)].join(' ')"
        )
        return re.sub(r"\s+", " ", str(focused))
