"""The one module that reads settings, once, and says which one is wrong.

``get_settings()`` reads the environment on its first call and keeps the result. A wrong value raises ``SettingError``
with the setting's name, the value (never a secret's) and what is allowed; ``function_app`` calls it while it is
imported, so a wrong setting stops the start of the host.

The one thing read later is the hub's connection (``get_event_hub()``): a local host hands it out only once it has seen,
in the triggers, that it is needed.
"""

from __future__ import annotations

import functools
import math
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from telemetry.rules import Rules

APP_ROOT = Path(__file__).resolve().parent


class SettingError(ValueError):
    """A setting is missing or wrong; ``name`` says which one."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"setting {name}: {problem}")
        self.name = name


@dataclass(frozen=True)
class InjectedFault:
    """A rehearsed failure: the next ``times`` calls of ``port``.``operation`` fail before or after their effect."""

    port: str
    operation: str
    when: str
    times: int


@dataclass(frozen=True)
class AzureStoreSettings:
    """Where documents (Cosmos DB) and raw batches (Blob storage) are kept with ``STORE=azure``.

    ``cosmos_key`` None means the app's identity (Entra ID); so does ``blob_connection_string`` None.
    """

    cosmos_endpoint: str
    cosmos_key: str | None = field(repr=False)  # a secret, kept out of logs and errors
    cosmos_database: str
    blob_connection_string: str | None = field(repr=False)
    blob_account_url: str | None
    blob_container: str


@dataclass(frozen=True)
class Retention:
    """How long finished things are kept (hours), and how many of each kind one purge run may delete."""

    messages_hours: float
    batches_hours: float
    dead_letters_hours: float
    durable_hours: float
    limit: int
    schedule: str


@dataclass(frozen=True)
class Sweeping:
    """When an unfinished batch counts as standing still, and when a running instance counts as lost (seconds)."""

    schedule: str
    still_seconds: float
    stuck_seconds: float
    max_sweeps: int
    limit: int


@dataclass(frozen=True)
class Settings:
    """All settings but the hub's connection. Units are in the names."""

    event_hub_name: str
    event_hub_consumer_group: str
    store: str  # sqlite | azure
    data_dir: Path
    azure: AzureStoreSettings | None  # there when store is azure
    auth_mode: str  # none | app-service
    in_azure: bool
    app_service_auth_enabled: bool
    low_battery: float  # fraction of full charge
    stale_seconds: float
    offline_seconds: float
    altitude_limit_metres: float
    altitude_range_metres: tuple[float, float]
    future_tolerance_seconds: float
    registry_file: Path
    zones_file: Path
    retention: Retention
    sweeping: Sweeping
    inject_faults: tuple[InjectedFault, ...]
    map_tiles_url: str | None
    map_tiles_attribution: str | None
    otlp_endpoint: str | None
    application_insights: str | None

    @property
    def rules(self) -> Rules:
        """The thresholds as the domain takes them."""
        low, high = self.altitude_range_metres
        return Rules(
            future_tolerance_seconds=self.future_tolerance_seconds,
            altitude_minimum=low,
            altitude_maximum=high,
            altitude_limit=self.altitude_limit_metres,
            low_battery=self.low_battery,
            stale_after_seconds=self.stale_seconds,
            offline_after_seconds=self.offline_seconds,
        )


@dataclass(frozen=True)
class EventHub:
    """How to reach the hub: a connection string, or a namespace that is entered with the app's identity."""

    name: str
    consumer_group: str
    connection_string: str | None
    fully_qualified_namespace: str | None


_FAULT = re.compile(r"(ledger|messages|deadletters)\.(read|write):(before|after):([1-9][0-9]{0,8})")
_NCRONTAB_FIELD = r"[0-9A-Za-z*/,\-]+"
_NCRONTAB = re.compile(rf"{_NCRONTAB_FIELD}( {_NCRONTAB_FIELD}){{5}}")
_NCRONTAB_RANGES = ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_NOT_A_STEP = re.compile(r"(?<![/0-9])[0-9]+")
_HUB_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,254}[A-Za-z0-9])?")


class _Reader:
    """Typed reading of a mapping; an empty value counts as not set, as it does in the Azure portal."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def optional(self, name: str) -> str | None:
        return self._environ.get(name, "").strip() or None

    def text(self, name: str, default: str) -> str:
        return self.optional(name) or default

    def required(self, name: str, why: str) -> str:
        value = self.optional(name)
        if value is None:
            raise SettingError(name, f"is not set; {why}")
        return value

    def choice(self, name: str, default: str, allowed: Sequence[str]) -> str:
        value = self.text(name, default)
        if value not in allowed:
            raise SettingError(name, f"is {value!r}; allowed: {', '.join(allowed)}")
        return value

    def flag(self, name: str) -> bool:
        return self.choice(name, "0", ("0", "1", "false", "true", "False", "True")).lower() in ("1", "true")

    def number(self, name: str, default: float, low: float, high: float, what: str) -> float:
        value = self.optional(name)
        if value is None:
            return default
        return _number(name, value, low, high, what)

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        value = self.optional(name)
        if value is None:
            return default
        if not re.fullmatch(r"[0-9]{1,9}", value) or not low <= int(value) <= high:
            raise SettingError(name, f"is {value!r}; allowed: a whole number from {low} to {high}")
        return int(value)

    def range(self, name: str, default: tuple[float, float]) -> tuple[float, float]:
        value = self.optional(name)
        if value is None:
            return default
        parts = value.split(",")
        what = "two numbers, the lower one first, as in -1000,20000"
        if len(parts) != 2:
            raise SettingError(name, f"is {value!r}; allowed: {what}")
        low, high = (_number(name, part.strip(), -math.inf, math.inf, what) for part in parts)
        if low >= high:
            raise SettingError(name, f"is {value!r}; allowed: {what}")
        return low, high

    def schedule(self, name: str, default: str) -> str:
        value = self.text(name, default)
        if not _NCRONTAB.fullmatch(value) or not all(
            low <= int(number) <= high
            for field, (low, high) in zip(value.split(" "), _NCRONTAB_RANGES, strict=True)
            for number in _NOT_A_STEP.findall(field)
        ):
            raise SettingError(
                name, f"is {value!r}; allowed: six NCRONTAB fields, seconds first, as in '0 */5 * * * *'"
            )
        return value

    def hub_name(self, name: str, default: str) -> str:
        """The name of a hub or a consumer group, as Event Hubs allows it."""
        value = self.text(name, default)
        if value != "$Default" and not _HUB_NAME.fullmatch(value):
            raise SettingError(
                name, f"is {value!r}; allowed: letters, digits, '.', '-' and '_', a letter or digit first and last"
            )
        return value

    def url(self, name: str) -> str | None:
        value = self.optional(name)
        if value is not None and not re.match(r"(?i)https?://[^/\s]", value):
            raise SettingError(name, f"is {value!r}; allowed: a URL that begins with http:// or https://")
        return value

    def folder(self, name: str, default: str) -> Path:
        """A folder that may have to be made: nothing on the way to it may be a file."""
        path = APP_ROOT / self.text(name, default)
        there = next(part for part in (path, *path.parents) if part.exists())
        if not there.is_dir():
            raise SettingError(name, f"is {str(path)!r}; allowed: the path of a folder, but {str(there)!r} is a file")
        return path

    def file(self, name: str, default: str) -> Path:
        """A file named by a setting must be there; the default one may be missing, or come later."""
        value = self.optional(name)
        path = APP_ROOT / (value or default)
        if value is not None and not path.is_file():
            raise SettingError(name, f"is {value!r}; allowed: the path of a file that exists")
        return path


def _number(name: str, value: str, low: float, high: float, what: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and low <= number <= high):
        raise SettingError(name, f"is {value!r}; allowed: {what}")
    return number


def _faults(read: _Reader) -> tuple[InjectedFault, ...]:
    value = read.optional("INJECT_FAULTS")
    faults = []
    for part in re.split("[,;]", value or ""):
        if not part.strip():
            continue
        match = _FAULT.fullmatch(part.strip())
        if match is None:
            raise SettingError(
                "INJECT_FAULTS",
                f"has {part.strip()!r}; allowed: PORT.OPERATION:WHEN:TIMES with PORT ledger, messages or deadletters, "
                "OPERATION read or write, WHEN before or after, several separated by , or ;",
            )
        faults.append(InjectedFault(match[1], match[2], match[3], int(match[4])))
    return tuple(faults)


def _azure_store(read: _Reader) -> AzureStoreSettings:
    connection = read.optional("BATCH_BLOB_CONNECTION_STRING")
    account = read.optional("BATCH_BLOB_ACCOUNT_URL")
    if connection is None and account is None:
        # Blob storage that the Functions host itself uses is there in every function app.
        connection = read.optional("AzureWebJobsStorage")
        if connection is None:
            raise SettingError(
                "BATCH_BLOB_ACCOUNT_URL", "is not set; STORE=azure needs it, or BATCH_BLOB_CONNECTION_STRING"
            )
    return AzureStoreSettings(
        cosmos_endpoint=read.required("COSMOS_ENDPOINT", "STORE=azure needs the account's https URL"),
        cosmos_key=read.optional("COSMOS_KEY"),
        cosmos_database=read.text("COSMOS_DATABASE", "dronetelemetry"),
        blob_connection_string=connection,
        blob_account_url=account,
        blob_container=read.text("BATCH_BLOB_CONTAINER", "batches"),
    )


def _auth_mode(read: _Reader, in_azure: bool) -> str:
    mode = read.choice("AUTH_MODE", "none", ("none", "app-service"))
    if mode == "none" and in_azure and not read.flag("ALLOW_ANONYMOUS_IN_AZURE"):
        raise SettingError(
            "AUTH_MODE",
            "is 'none', which lets everybody in; allowed in Azure: 'app-service', or 'none' with "
            "ALLOW_ANONYMOUS_IN_AZURE=1",
        )
    return mode


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Read and check all settings of ``environ``; ``SettingError`` names the first one that is wrong."""
    read = _Reader(environ)
    seconds: Callable[[str, float], float] = lambda name, default: read.number(  # noqa: E731
        name, default, 0.001, 1e9, "a number of seconds above 0"
    )
    hours: Callable[[str, float], float] = lambda name, default: read.number(  # noqa: E731
        name, default, 0.0001, 1e6, "a number of hours above 0"
    )
    in_azure = read.optional("WEBSITE_INSTANCE_ID") is not None
    store = read.choice("STORE", "sqlite", ("sqlite", "azure"))
    stale = seconds("STALE_SECONDS", 30)
    offline = seconds("OFFLINE_SECONDS", 300)
    if offline <= stale:
        raise SettingError("OFFLINE_SECONDS", f"is {offline:g}; allowed: more than STALE_SECONDS, which is {stale:g}")
    still = seconds("SWEEP_STILL_SECONDS", 15)
    stuck = seconds("SWEEP_STUCK_SECONDS", 600)
    if stuck < still:
        raise SettingError("SWEEP_STUCK_SECONDS", f"is {stuck:g}; allowed: at least SWEEP_STILL_SECONDS, {still:g}")
    return Settings(
        event_hub_name=read.hub_name("EventHubName", "telemetry"),
        event_hub_consumer_group=read.hub_name("EventHubConsumerGroup", "dronetelemetry"),
        store=store,
        data_dir=read.folder("DATA_DIR", ".data"),
        azure=_azure_store(read) if store == "azure" else None,
        auth_mode=_auth_mode(read, in_azure),
        in_azure=in_azure,
        app_service_auth_enabled=(read.optional("WEBSITE_AUTH_ENABLED") or "").lower() == "true",
        low_battery=read.number("LOW_BATTERY", 0.2, 0, 1, "a fraction from 0 to 1"),
        stale_seconds=stale,
        offline_seconds=offline,
        altitude_limit_metres=read.number(
            "ALTITUDE_LIMIT_METRES", 120, -1e6, 1e6, "a number of metres from -1000000 to 1000000"
        ),
        altitude_range_metres=read.range("ALTITUDE_RANGE_METRES", (-1000.0, 20000.0)),
        future_tolerance_seconds=read.number("FUTURE_TOLERANCE_SECONDS", 300, 0, 1e9, "a number of seconds, 0 or more"),
        registry_file=read.file("REGISTRY_FILE", "config/drones.json"),
        zones_file=read.file("ZONES_FILE", "config/zones.geojson"),
        retention=Retention(
            messages_hours=hours("RETENTION_MESSAGES_HOURS", 30 * 24),
            batches_hours=hours("RETENTION_BATCHES_HOURS", 7 * 24),
            dead_letters_hours=hours("RETENTION_DEADLETTERS_HOURS", 30 * 24),
            durable_hours=hours("RETENTION_DURABLE_HOURS", 24),
            limit=read.whole("PURGE_LIMIT", 5000, 1, 1_000_000),
            schedule=read.schedule("PURGE_SCHEDULE", "30 * * * * *"),
        ),
        sweeping=Sweeping(
            schedule=read.schedule("SWEEP_SCHEDULE", "*/10 * * * * *"),
            still_seconds=still,
            stuck_seconds=stuck,
            max_sweeps=3,
            limit=read.whole("SWEEP_LIMIT", 200, 1, 10_000),
        ),
        inject_faults=_faults(read),
        map_tiles_url=read.optional("MAP_TILES_URL"),
        map_tiles_attribution=read.optional("MAP_TILES_ATTRIBUTION"),
        otlp_endpoint=read.url("OTEL_EXPORTER_OTLP_ENDPOINT"),
        application_insights=read.optional("APPLICATIONINSIGHTS_CONNECTION_STRING"),
    )


def read_event_hub(environ: Mapping[str, str], settings: Settings) -> EventHub:
    """How to reach the hub. ``SettingError`` when neither form of ``EventHubConnection`` is set."""
    read = _Reader(environ)
    connection = read.optional("EventHubConnection")
    namespace = read.optional("EventHubConnection__fullyQualifiedNamespace")
    if connection is None and namespace is None:
        raise SettingError(
            "EventHubConnection",
            "is not set; allowed: a connection string, or EventHubConnection__fullyQualifiedNamespace with the "
            "namespace's host name",
        )
    if connection is not None and not re.match(r"(?i)(.*;)?\s*Endpoint=sb://", connection):
        raise SettingError(
            "EventHubConnection", "is no Event Hubs connection string (Endpoint=sb://…; value not shown)"
        )
    return EventHub(settings.event_hub_name, settings.event_hub_consumer_group, connection, namespace)


@functools.cache
def get_settings() -> Settings:
    """The settings of this process, read from the environment on the first call."""
    return read_settings(os.environ)


@functools.cache
def get_event_hub() -> EventHub:
    """The hub of this process; read on the first call that finds it set."""
    return read_event_hub(os.environ, get_settings())
