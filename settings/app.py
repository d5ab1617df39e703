"""All settings of the app but the hub's connection, read and checked together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from settings.access import read_allowed_origins, read_auth_mode
from settings.alerts import Alerts, read_alerts
from settings.azure_store import AzureStoreSettings, read_azure_store
from settings.errors import SettingError
from settings.faults import InjectedFault, read_faults
from settings.flights import Flights, read_flights
from settings.map import MapSettings, read_map
from settings.reader import Reader
from settings.retention import Retention, read_retention
from settings.signals import read_signal_window
from settings.sweeping import Sweeping, read_sweeping
from settings.thresholds import read_rules
from telemetry.rules import Rules

PLATFORM = ("WEBSITE_INSTANCE_ID", "WEBSITE_SKU", "WEBSITE_POD_NAME", "LEGION_SERVICE_HOST")
"""What only Azure sets. Flex Consumption has no ``WEBSITE_INSTANCE_ID``: the host itself (azure-functions-host,
``EnvironmentExtensions``) knows that plan by the others."""


@dataclass(frozen=True)
class Settings:
    """All settings but the hub's connection. Units are in the names."""

    event_hub_name: str
    event_hub_consumer_group: str
    recovery_consumer_group: str  # another one than the trigger's, which reads exclusively
    store: str  # sqlite | azure
    one_process: bool  # runs all of the app: then a batch's steps need not leave what they know to others
    data_dir: Path
    sqlite_synchronous: Literal["normal", "full"]
    azure: AzureStoreSettings | None  # there when store is azure
    auth_mode: str  # none | app-service
    in_azure: bool
    app_service_auth_enabled: bool
    allowed_origins: frozenset[str]  # of pages elsewhere that may change things; lower case, * for all
    rules: Rules  # the thresholds as the domain takes them
    export_limit: int  # messages in one file
    registry_file: Path
    zones_file: Path
    signal_window: float  # seconds for which signals that can wait do; 0: none does
    flights: Flights
    alerts: Alerts
    retention: Retention
    sweeping: Sweeping
    inject_faults: tuple[InjectedFault, ...]
    map: MapSettings
    otlp_endpoint: str | None
    application_insights: str | None
    trace_ratio: float  # of the attempts at batches whose spans are exported


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Read and check all settings of ``environ``; ``SettingError`` names the first one that is wrong."""
    read = Reader(environ)
    in_azure = any(read.optional(name) is not None for name in PLATFORM)
    store = read.choice("STORE", "sqlite", ("sqlite", "azure"))
    synchronous = read.choice("SQLITE_SYNCHRONOUS", "normal", ("normal", "full"))
    faults = read_faults(read)
    if store == "azure" and faults:
        raise SettingError("INJECT_FAULTS", "is set; allowed: with STORE=sqlite only, and STORE is azure")
    group = read.hub_name("EventHubConsumerGroup", "dronetelemetry")
    recovery = read.hub_name("RECOVERY_CONSUMER_GROUP", "$Default" if group != "$Default" else "recovery")
    if recovery == group:
        raise SettingError(
            "RECOVERY_CONSUMER_GROUP", f"is {recovery!r}; allowed: another one than EventHubConsumerGroup"
        )
    rules = read_rules(read)
    return Settings(
        event_hub_name=read.hub_name("EventHubName", "telemetry"),
        event_hub_consumer_group=group,
        recovery_consumer_group=recovery,
        store=store,
        one_process=store == "sqlite" and read.text("FUNCTIONS_WORKER_PROCESS_COUNT", "1") == "1",
        data_dir=read.folder("DATA_DIR", ".data"),
        sqlite_synchronous="full" if synchronous == "full" else "normal",
        azure=read_azure_store(read) if store == "azure" else None,
        auth_mode=read_auth_mode(read, in_azure),
        in_azure=in_azure,
        app_service_auth_enabled=(read.optional("WEBSITE_AUTH_ENABLED") or "").lower() == "true",
        allowed_origins=read_allowed_origins(read),
        rules=rules,
        export_limit=read.whole("EXPORT_LIMIT", 100_000, 1, 10_000_000),
        registry_file=read.file("REGISTRY_FILE", "config/drones.json"),
        zones_file=read.file("ZONES_FILE", "config/zones.geojson"),
        signal_window=read_signal_window(read, rules, store, in_azure),
        flights=read_flights(read),
        alerts=read_alerts(read),
        retention=read_retention(read),
        sweeping=read_sweeping(read),
        inject_faults=faults,
        map=read_map(read),
        otlp_endpoint=read.url("OTEL_EXPORTER_OTLP_ENDPOINT"),
        application_insights=read.optional("APPLICATIONINSIGHTS_CONNECTION_STRING"),
        trace_ratio=read.number("TRACE_RATIO", 1, 0, 1, "a fraction from 0 to 1"),
    )
