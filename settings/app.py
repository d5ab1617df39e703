"""All settings of the app but the hub's connection, read and checked together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from settings.access import read_allowed_origins, read_auth_mode
from settings.azure_store import AzureStoreSettings, read_azure_store
from settings.errors import SettingError
from settings.faults import InjectedFault, read_faults
from settings.reader import Reader
from settings.retention import Retention, read_retention
from settings.sweeping import Sweeping, read_sweeping
from telemetry.rules import Rules

PLATFORM = ("WEBSITE_INSTANCE_ID", "WEBSITE_SKU", "WEBSITE_POD_NAME", "LEGION_SERVICE_HOST")
"""What only Azure sets. Flex Consumption has no ``WEBSITE_INSTANCE_ID``: the host itself (azure-functions-host,
``EnvironmentExtensions``) knows that plan by the others."""


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
    allowed_origins: frozenset[str]  # of pages elsewhere that may change things; lower case, * for all
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
    trace_ratio: float  # of the attempts at batches whose spans are exported

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


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Read and check all settings of ``environ``; ``SettingError`` names the first one that is wrong."""
    read = Reader(environ)
    in_azure = any(read.optional(name) is not None for name in PLATFORM)
    store = read.choice("STORE", "sqlite", ("sqlite", "azure"))
    stale = read.seconds("STALE_SECONDS", 30)
    offline = read.seconds("OFFLINE_SECONDS", 300)
    if offline <= stale:
        raise SettingError("OFFLINE_SECONDS", f"is {offline:g}; allowed: more than STALE_SECONDS, which is {stale:g}")
    return Settings(
        event_hub_name=read.hub_name("EventHubName", "telemetry"),
        event_hub_consumer_group=read.hub_name("EventHubConsumerGroup", "dronetelemetry"),
        store=store,
        data_dir=read.folder("DATA_DIR", ".data"),
        azure=read_azure_store(read) if store == "azure" else None,
        auth_mode=read_auth_mode(read, in_azure),
        in_azure=in_azure,
        app_service_auth_enabled=(read.optional("WEBSITE_AUTH_ENABLED") or "").lower() == "true",
        allowed_origins=read_allowed_origins(read),
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
        retention=read_retention(read),
        sweeping=read_sweeping(read),
        inject_faults=read_faults(read),
        map_tiles_url=read.optional("MAP_TILES_URL"),
        map_tiles_attribution=read.optional("MAP_TILES_ATTRIBUTION"),
        otlp_endpoint=read.url("OTEL_EXPORTER_OTLP_ENDPOINT"),
        application_insights=read.optional("APPLICATIONINSIGHTS_CONNECTION_STRING"),
        trace_ratio=read.number("TRACE_RATIO", 1, 0, 1, "a fraction from 0 to 1"),
    )
