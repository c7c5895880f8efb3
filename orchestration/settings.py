"""A municipality's configuration: which city, which sources. Secrets only from the environment.

Belongs here: reading config/<municipality>.yaml. Does not belong here: anything about an
indicator, which is the same for every city (expectations/catalogue).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from expectations.catalogue import Catalogue, load_catalogue
from expectations.catalogue.model import Text

PROJECT = Path(__file__).resolve().parent.parent
DEFAULT_CONFIG = PROJECT / "config" / "koblenz.yaml"
DEFAULT_HOME = Path("var")


class ConfigurationError(ValueError):
    """The configuration can't be used; the message names the file and the field."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Peers(_Section):
    """The cities ours is compared with, and why they and no others."""

    areas: list[Annotated[str, Field(pattern=r"^\d{5}$")]] = Field(min_length=1)
    reason: Text


class Municipality(_Section):
    """The city that is monitored; its official key (AGS, five digits for a district)."""

    code: str = Field(pattern=r"^\d{5}$")
    name: str
    peers: Peers | None = None

    @property
    def state_code(self) -> str:
        return self.code[:2]


class Host(_Section):
    """One database of the offices on the network, with our account there and how it is treated.

    `downloader`: address of its login-free files, the table's code in braces. `changes`: what tells
    that a statistic is new; `content` downloads and compares. `jobs`: does it make large tables by
    jobs? `job_minutes`: how long a night waits for them. Seconds are seconds.
    """

    base_url: str = Field(pattern=r"^https?://[^\s@]+$")
    username: SecretStr = SecretStr("")
    password: SecretStr = SecretStr("")
    language: Literal["de", "en"] = "de"
    downloader: str | None = Field(default=None, pattern=r"^https?://\S+\{code\}\S*$")
    changes: Literal["content", "modifieddata", "cubes"] = "content"
    recheck_days: int = Field(default=30, gt=0)
    jobs: bool = True
    job_minutes: float = Field(default=60, gt=0)
    parallel: int = Field(default=1, ge=1, le=10)
    pause_seconds: float = Field(default=1.0, ge=0)
    connect_seconds: float = Field(default=30.0, gt=0)
    read_seconds: float = Field(default=300.0, gt=0)
    reply_seconds: float = Field(default=1800.0, gt=0)
    attempts: int = Field(default=4, ge=1)
    first_wait_seconds: float = Field(default=2.0, ge=0)
    poll_seconds: float = Field(default=10.0, gt=0)

    @field_validator("username", "password")
    @classmethod
    def _fits_a_header(cls, secret: SecretStr) -> SecretStr:
        text = secret.get_secret_value()
        if text != text.strip() or any(ord(character) < 32 for character in text):
            raise ValueError("begins or ends with a blank, or holds a line break or control character")
        return secret

    @property
    def has_account(self) -> bool:
        return bool(self.username.get_secret_value())


class OfficialStatistics(_Section):
    """Where official statistics come from: the network, a folder, or the embedded synthetic sample.

    `tables`: the tables to ask for; by default those that measures need. `budget_minutes`: how long
    a night may collect. `extent`: of the sample; `tiny` has the last eight years of what `tables` of the configuration need.
    """

    source: Literal["network", "folder", "sample"]
    extent: Literal["full", "tiny"] = "full"
    directory: Path | None = None
    hosts: dict[str, Host] = {}
    tables: list[str] | None = None
    budget_minutes: float = Field(default=120, gt=0)

    @property
    def landing_name(self) -> str:
        """Below landing/; invented and real deliveries never mix."""
        return "sample" if self.source == "sample" else "official"

    @model_validator(mode="after")
    def _source_is_complete(self) -> OfficialStatistics:
        if (self.source == "folder") != (self.directory is not None):
            raise ValueError("give a directory for source 'folder', and only then")
        if (self.source == "network") != bool(self.hosts):
            raise ValueError("give hosts for source 'network', and only then")
        if self.extent != "full" and self.source != "sample":
            raise ValueError("extent: only the sample has one")
        return self


class AgencyTable(_Section):
    """One table of the Bundesagentur's service, and the parameter that names its region."""

    name: str = Field(pattern=r"^Eckwerte(Tabelle|Zeitreihe)[A-Za-z]+$")
    region: Literal["Kreis", "Kreis AO", "Bundesland", "Bundesland AO"] | None = None


class EmploymentAgency(_Section):
    """The table service of the Bundesagentur für Arbeit; no account.

    `names_url`: the service's list of its region names, by which it wants to be asked.
    """

    base_url: str = Field(pattern=r"^https?://\S+$")
    names_url: str = Field(pattern=r"^https?://\S+$")
    tables: list[AgencyTable] = Field(min_length=1)
    budget_minutes: float = Field(default=20, gt=0)


class SchoolDirectory(_Section):
    """The Land's directory of school sites: an OGC API Features collection's items."""

    base_url: str = Field(pattern=r"^https?://\S+$")
    licence: str
    budget_minutes: float = Field(default=20, gt=0)


class Database(_Section):
    """One database of the city and the registers read from it; the address may hold `${NAME}`."""

    url: SecretStr
    registers: list[str] = Field(min_length=1)


class CityDistrict(_Section):
    """One Stadtteil: our code for it, its name, other spellings that mean exactly it, its Ortsbezirk."""

    code: str = Field(pattern=r"^[A-Z]{2}\d{2,4}$")
    name: str
    aliases: list[str] = []
    local_district: str | None = None


class Registers(_Section):
    """The city's registers: watched folders, databases, the synthetic city, or none.

    `drops`: a folder outside the home with one folder per register. `only`: the registers there are;
    by default all declared ones. `key_file`: the key of the pseudonyms; by default the environment
    has it. `rejected_days`: how long a refused file waits for its sender. `extent`: of the sample; `tiny` has
    the newest year alone.
    """

    source: Literal["sample", "city", "none"] = "none"
    extent: Literal["full", "tiny"] = "full"
    drops: Path | None = None
    databases: list[Database] = []
    only: list[str] | None = None
    key_file: Path | None = None
    settle_seconds: float = Field(default=0, ge=0)
    rejected_days: int = Field(default=30, ge=0)
    districts: list[CityDistrict] = []

    def in_use(self, declared: Iterable[str]) -> set[str]:
        """The registers this city has, of those declared."""
        if self.source == "none":
            return set()
        return set(declared) if self.only is None else set(self.only)

    @property
    def landing_name(self) -> str:
        """Below landing/ and vault/; invented and real registers never mix."""
        return "registers-sample" if self.source == "sample" else "registers"

    @model_validator(mode="after")
    def _source_is_complete(self) -> Registers:
        if self.source == "city" and self.drops is None and not self.databases:
            raise ValueError("give drops or databases for source 'city'")
        if self.source == "sample" and not self.districts:
            raise ValueError("give districts for source 'sample': the synthetic city is made of them")
        if self.extent != "full" and self.source != "sample":
            raise ValueError("extent: only the sample has one")
        codes = [d.code for d in self.districts]
        if twice := sorted({c for c in codes if codes.count(c) > 1}):
            raise ValueError(f"districts: {', '.join(twice)} twice")
        spellings = [s for d in self.districts for s in (d.name, *d.aliases)]
        if twice := sorted({s for s in spellings if spellings.count(s) > 1}):
            raise ValueError(f"districts: {', '.join(twice)} means more than one district")
        return self


class Email(_Section):
    """Where the night's message goes by e-mail, and through which server."""

    host: str
    port: int = Field(default=587, gt=0, lt=65536)
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str = ""
    password: SecretStr = SecretStr("")
    sender: str = Field(pattern=r"^[^@\s]+@[^@\s]+$")
    recipients: list[Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]] = Field(min_length=1)

    @model_validator(mode="after")
    def _no_password_in_the_clear(self) -> Email:
        if self.security == "none" and self.username:
            raise ValueError("security: a password never travels unencrypted")
        return self


class Webhook(_Section):
    """Where the night's message goes as JSON. `secret`: signs it (HMAC-SHA-256 over the body)."""

    url: SecretStr
    secret: SecretStr = SecretStr("")
    first_wait_seconds: float = Field(default=1.0, ge=0)

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, url: SecretStr) -> SecretStr:
        if not re.match(r"^https?://[^\s]+$", url.get_secret_value()):
            raise ValueError("expected an address that begins with https:// or http://")
        return url


class Notify(_Section):
    """Who is told what a night did; nobody by default."""

    email: Email | None = None
    webhook: Webhook | None = None


class Confidentiality(_Section):
    """The city's decision of how few people are few: below these numbers nobody may know how many there are.

    `city`: of counts of the whole city. `parts`: of its parts and its schools. `special`: of registers with special
    categories of data and of what the employment agency delivers for parts of the city.
    """

    city: int = Field(default=3, ge=3)
    parts: int = Field(default=5, ge=3)
    special: int = Field(default=10, ge=3)


Audience = Literal["public", "internal"]
"""Who reads a release: everyone, or the statistics office alone."""


class Publisher(_Section):
    """Who publishes: a name, its page, and where questions go. Stands in every catalogue entry (DCAT-AP.de)."""

    name: str
    homepage: str | None = None
    email: str | None = None
    contributor_id: str | None = None
    """The data provider's id at GovData (`http://dcat-ap.de/def/contributors/…`)."""


class DatabaseTarget(_Section):
    """A database that every release for an audience is published to, by SQLAlchemy's address (with the driver's name in it).

    `schema`: of the views; what is stored stands in `<schema>_store`. `reader`: the role that may read the views
    (PostgreSQL; made if it is missing). Both have `_internal` in their names for the internal audience. `keep`: so many
    releases stay loaded. `old_version_days`: so long after its last release the view of an older major version stays.
    """

    url: SecretStr
    audience: Audience = "public"
    db_schema: str = Field(default="bildungsmonitor", alias="schema", pattern=r"^[a-z][a-z0-9_]{0,40}$")
    reader: str | None = Field(default="bildungsmonitor_reader", pattern=r"^[a-z][a-z0-9_]{0,60}$")
    keep: int = Field(default=3, ge=2)
    old_version_days: int = Field(default=180, ge=1)

    @model_validator(mode="before")
    @classmethod
    def _names_of_the_audience(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("audience") == "internal":
            return {
                "schema": "bildungsmonitor_internal",
                "reader": "bildungsmonitor_internal_reader",
                **given,
            }
        return given


class Internal(_Section):
    """The statistics office's own release: exact counts of the registers, under thresholds of its own.

    `least_count`: a count of people below it is not shown, nor a share whose remainder is that small; `least_denominator`: nor
    a rate of fewer people. 1 shows everything.
    """

    least_count: int = Field(default=1, ge=1)
    least_denominator: int = Field(default=1, ge=1)


class Publishing(_Section):
    """How releases are offered. `base_url`: where their folder is reachable, if anywhere; links begin with it.

    `keep_nights`: so many releases are kept, and every month's last. `rest_seconds`: so long before and after a switch publishing
    does nothing, and readers have the processors. `internal`: also make the release of the statistics office.
    """

    base_url: str | None = None
    publisher: Publisher | None = None
    databases: list[DatabaseTarget] = []
    keep_nights: int = Field(default=30, ge=1)
    rest_seconds: float = Field(default=0.5, ge=0, le=10)
    internal: Internal | None = None

    @model_validator(mode="after")
    def _audiences_stay_apart(self) -> Publishing:
        shared: dict[tuple[str, str], str] = {}
        for target in self.databases:
            if target.audience == "internal" and self.internal is None:
                raise ValueError("databases: found audience internal, expected `internal` beside it")
            for kind, name in (
                ("schema", target.db_schema), ("schema", f"{target.db_schema}_store"), ("reader", target.reader)
            ):  # fmt: skip
                if name and shared.setdefault((kind, name), target.audience) != target.audience:
                    raise ValueError(
                        f"databases: found {kind} {name} for two audiences, expected one for each"
                    )
        return self

    @field_validator("base_url")
    @classmethod
    def _is_an_address(cls, url: str | None) -> str | None:
        if url is not None and not re.match(r"^https?://[^\s]+[^\s/]$", url):
            raise ValueError(
                "expected an address that begins with https:// or http:// and does not end with /"
            )
        return url


class Settings(_Section):
    """Everything a city configures."""

    municipality: Municipality
    official_statistics: OfficialStatistics
    employment_agency: EmploymentAgency | None = None
    school_directory: SchoolDirectory | None = None
    registers: Registers = Registers()
    confidentiality: Confidentiality = Confidentiality()
    publication: Publishing = Publishing()
    notify: Notify = Notify()
    catalogue: Path | None = None
    """A folder of further declarations, laid out like expectations/catalogue."""
    tables: list[str] | None = None
    """The published tables this city makes; by default all that its sources serve."""
    workers: Literal["auto"] | Annotated[int, Field(ge=1, le=64)] = "auto"
    """How many processes a night computes with; `auto`: as many as there are processors. Fewer need less memory."""

    @property
    def overlays(self) -> list[Path]:
        """The city's own declarations, as `load_catalogue` takes them."""
        return [self.catalogue] if self.catalogue else []


def catalogue_of(settings: Settings) -> Catalogue:
    """The catalogue as this city has it: its own declarations, without what its registers can't give.

    Raises CatalogueError and ConfigurationError.
    """
    catalogue = load_catalogue(*settings.overlays)
    if unknown := sorted(set(settings.tables or ()) - set(catalogue.published)):
        raise ConfigurationError(f"tables: no published table {', '.join(unknown)} is declared")
    in_use = settings.registers.in_use(catalogue.registers)
    return catalogue.for_registers(in_use).for_tables(settings.tables)


def load_settings(path: Path) -> Settings:
    """Read a configuration; `${NAME}` takes a value from the environment.

    Raises ConfigurationError naming file and field.
    """
    try:
        data: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigurationError(f"{path}: there is no such file") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigurationError(f"{path}: not readable as YAML: {error}") from error
    try:
        settings = Settings.model_validate(_from_environment(data, path))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(p) for p in first["loc"]) or "configuration"
        # `from None`: the error itself holds what was read, passwords included.
        raise ConfigurationError(f"{path}: {where}: {first['msg']}") from None
    directory = settings.official_statistics.directory
    if directory is not None and not directory.is_dir():
        raise ConfigurationError(
            f"{path}: official_statistics.directory: found {str(directory)!r}, expected a folder"
        )
    return settings


def _from_environment(value: Any, path: Path) -> Any:
    if isinstance(value, dict):
        return {k: _from_environment(v, path) for k, v in value.items()}
    if isinstance(value, list):
        return [_from_environment(v, path) for v in value]
    if not isinstance(value, str):
        return value

    def lookup(match: re.Match[str]) -> str:
        name = match[1]
        if not os.environ.get(name):
            raise ConfigurationError(f"{path}: the environment variable {name} is not set")
        return os.environ[name]

    return re.sub(r"\$\{([A-Z][A-Z0-9_]*)\}", lookup, value)
