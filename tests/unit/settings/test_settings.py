"""Settings: what is read, and that the one that is wrong is named."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

import settings as module
from settings import InjectedFault, SettingError, read_event_hub, read_settings
from telemetry.rules import Rules


def test_an_empty_environment_gives_the_documented_defaults() -> None:
    settings = read_settings({})
    assert settings.event_hub_name == "telemetry"
    assert settings.event_hub_consumer_group == "dronetelemetry"
    assert settings.store == "sqlite"
    assert settings.azure is None
    assert settings.auth_mode == "none"
    assert settings.rules.low_battery == 0.2
    assert settings.rules.future_tolerance_seconds == 300
    assert (settings.rules.altitude_minimum, settings.rules.altitude_maximum) == (-1000, 20000)
    assert settings.inject_faults == ()
    assert settings.data_dir == module.APP_ROOT / ".data"


def test_an_absolute_data_folder_is_taken_as_it_is(tmp_path: Path) -> None:
    assert read_settings({"DATA_DIR": str(tmp_path)}).data_dir == tmp_path


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SWEEP_SCHEDULE", "*/90 0-59/5 0,23 1-31 JAN-DEC 0-7"),
        ("EventHubName", "a.b_c-1"),
        ("EventHubConsumerGroup", "$Default"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318"),
        ("DATA_DIR", "not/there/yet"),
    ],
)
def test_what_is_allowed_is_not_refused(name: str, value: str) -> None:
    read_settings({name: value})


def test_the_thresholds_reach_the_domain() -> None:
    rules = read_settings(
        {"DEVICE_ID_SOURCE": "iothub", "ALTITUDE_REFERENCE": "msl", "TIMESTAMP_NOT_BEFORE": "2020-06-01T02:00:00+02:00"}
    ).rules
    assert (rules.device_id_source, rules.altitude_reference) == ("iothub", "msl")
    assert rules.not_before == "2020-06-01T00:00:00.000000Z"
    assert read_settings({"TIMESTAMP_NOT_BEFORE": "2020-06-02"}).rules.not_before == "2020-06-02T00:00:00.000000Z"
    assert read_settings({}).rules == Rules()


def test_an_empty_value_counts_as_not_set() -> None:
    assert read_settings({"EventHubName": "", "LOW_BATTERY": " "}) == read_settings({})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STORE", "postgres"),
        ("AUTH_MODE", "off"),
        ("LOW_BATTERY", "20"),
        ("LOW_BATTERY", "nan"),
        ("LOW_BATTERY", "low"),
        ("SIGNAL_WINDOW_SECONDS", "-1"),
        ("SIGNAL_WINDOW_SECONDS", "16"),
        ("STALE_SECONDS", "0"),
        ("STALE_SECONDS", "inf"),
        ("OFFLINE_SECONDS", "10"),
        ("ALTITUDE_LIMIT_METRES", "high"),
        ("ALTITUDE_RANGE_METRES", "5"),
        ("ALTITUDE_RANGE_METRES", "10,1"),
        ("FUTURE_TOLERANCE_SECONDS", "-1"),
        ("TIMESTAMP_NOT_BEFORE", "long ago"),
        ("TIMESTAMP_NOT_BEFORE", "2015-01-01T00:00:00"),
        ("DEVICE_ID_SOURCE", "header"),
        ("ALTITUDE_REFERENCE", "ground"),
        ("RETENTION_MESSAGES_HOURS", "0"),
        ("RETENTION_BATCHES_HOURS", "x"),
        ("RETENTION_DEADLETTERS_HOURS", "-3"),
        ("RETENTION_DURABLE_HOURS", "one"),
        ("RETENTION_PURGED_HOURS", "0"),
        ("PURGE_LIMIT", "0"),
        ("PURGE_LIMIT", "1.5"),
        ("PURGE_SCHEDULE", "* * *"),
        ("SWEEP_SCHEDULE", "soon"),
        ("SWEEP_SCHEDULE", "60 * * * * *"),
        ("SWEEP_SCHEDULE", "0 0 0 0 * *"),
        ("EventHubName", "a b"),
        ("EventHubName", "-telemetry"),
        ("EventHubConsumerGroup", "a/b"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317"),
        ("DATA_DIR", __file__),
        ("DATA_DIR", __file__ + "/data"),
        ("SWEEP_STILL_SECONDS", "-1"),
        ("SWEEP_STUCK_SECONDS", "1"),
        ("SWEEP_LIMIT", "many"),
        ("REGISTRY_FILE", "no/such/file.json"),
        ("ZONES_FILE", "no/such/file.geojson"),
        ("INJECT_FAULTS", "messages.write:before"),
        ("INJECT_FAULTS", "messages.write:before:0"),
        ("INJECT_FAULTS", "drones.write:before:1"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(name: str, value: str) -> None:
    with pytest.raises(SettingError, match=rf"setting {name}: .*allowed: ") as caught:
        read_settings({name: value})
    assert caught.value.name == name


def test_a_signal_window_that_would_make_drones_stale_is_named_with_both() -> None:
    assert read_settings({}).signal_window == 0
    assert read_settings({"SIGNAL_WINDOW_SECONDS": "10"}).signal_window == 10
    with pytest.raises(SettingError, match=r"SIGNAL_WINDOW_SECONDS: is 10; .* half of STALE_SECONDS, which is 15"):
        read_settings({"SIGNAL_WINDOW_SECONDS": "10", "STALE_SECONDS": "15"})


def test_faults_are_parsed_in_order() -> None:
    settings = read_settings({"INJECT_FAULTS": "messages.write:before:1000, ledger.read:after:1"})
    assert settings.inject_faults == (
        InjectedFault("messages", "write", "before", 1000),
        InjectedFault("ledger", "read", "after", 1),
    )


def test_the_azure_store_names_what_it_lacks() -> None:
    with pytest.raises(SettingError, match="BATCH_BLOB_ACCOUNT_URL"):
        read_settings({"STORE": "azure", "COSMOS_ENDPOINT": "https://a"})
    with pytest.raises(SettingError, match="COSMOS_ENDPOINT"):
        read_settings({"STORE": "azure", "AzureWebJobsStorage": "UseDevelopmentStorage=true"})


@pytest.mark.parametrize("name", ["COSMOS_ENDPOINT", "BATCH_BLOB_ACCOUNT_URL"])
def test_an_address_of_the_azure_store_is_a_url(name: str) -> None:
    with pytest.raises(SettingError, match=rf"{name}: is 'cosmos.example.org'; allowed: a URL"):
        read_settings({**CLOUD, name: "cosmos.example.org"})


def test_the_azure_store_falls_back_on_the_storage_of_the_host() -> None:
    settings = read_settings({"STORE": "azure", "COSMOS_ENDPOINT": "https://a", "AzureWebJobsStorage": "S"})
    assert settings.azure is not None
    assert settings.azure.blob_connection_string == "S"
    assert settings.azure.cosmos_key is None


def test_nobody_is_let_in_unasked_in_azure() -> None:
    azure = {"WEBSITE_INSTANCE_ID": "i"}
    with pytest.raises(SettingError, match="AUTH_MODE"):
        read_settings(azure)
    assert read_settings({**azure, "ALLOW_ANONYMOUS_IN_AZURE": "1"}).auth_mode == "none"
    assert read_settings({**azure, "AUTH_MODE": "app-service"}).auth_mode == "app-service"


def test_a_hub_is_reached_by_connection_string_or_by_identity() -> None:
    settings = read_settings({})
    by_string = read_event_hub({"EventHubConnection": "Endpoint=sb://localhost;SharedAccessKey=k"}, settings)
    assert by_string.connection_string == "Endpoint=sb://localhost;SharedAccessKey=k"
    by_identity = read_event_hub({"EventHubConnection__fullyQualifiedNamespace": "x.servicebus.windows.net"}, settings)
    assert by_identity.connection_string is None
    assert by_identity.fully_qualified_namespace == "x.servicebus.windows.net"


CLOUD = {"STORE": "azure", "COSMOS_ENDPOINT": "https://a", "BATCH_BLOB_ACCOUNT_URL": "https://b"}


@pytest.mark.parametrize(
    ("environ", "names"),
    [
        ({"RETENTION_DURABLE_HOURS": "169"}, ("RETENTION_DURABLE_HOURS", "RETENTION_BATCHES_HOURS, which is 168")),
        (
            {"WEBSITE_SKU": "FlexConsumption", "AUTH_MODE": "app-service", "SIGNAL_WINDOW_SECONDS": "10"},
            ("SIGNAL_WINDOW_SECONDS", "STORE is sqlite"),
        ),
        ({**CLOUD, "INJECT_FAULTS": "ledger.read:before:1"}, ("INJECT_FAULTS", "STORE is azure")),
        (
            {**CLOUD, "BATCH_BLOB_CONNECTION_STRING": "UseDevelopmentStorage=true"},
            ("BATCH_BLOB_CONNECTION_STRING", "BATCH_BLOB_ACCOUNT_URL, which is set too"),
        ),
    ],
)
def test_settings_that_contradict_each_other_are_both_named(environ: dict[str, str], names: tuple[str, str]) -> None:
    with pytest.raises(SettingError) as caught:
        read_settings(environ)
    assert caught.value.name == names[0]
    assert names[1] in str(caught.value)


def test_histories_are_kept_no_longer_than_batches_that_are_kept_shortly() -> None:
    assert read_settings({"RETENTION_BATCHES_HOURS": "2"}).retention.durable_hours == 2
    assert read_settings({}).retention.durable_hours == 24


def test_two_ways_to_the_hub_are_one_too_many() -> None:
    both = {
        "EventHubConnection": "Endpoint=sb://localhost;SharedAccessKey=k",
        "EventHubConnection__fullyQualifiedNamespace": "x.servicebus.windows.net",
    }
    with pytest.raises(SettingError, match="EventHubConnection__fullyQualifiedNamespace, which is set too"):
        read_event_hub(both, read_settings({}))


def test_a_missing_hub_is_named_and_a_wrong_string_is_not_shown() -> None:
    settings = read_settings({})
    with pytest.raises(SettingError, match="setting EventHubConnection: is not set"):
        read_event_hub({}, settings)
    with pytest.raises(SettingError) as caught:
        read_event_hub({"EventHubConnection": "secret"}, settings)
    assert "secret" not in str(caught.value)


def test_settings_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    module.get_settings.cache_clear()
    try:
        monkeypatch.setenv("EventHubName", "first")
        assert module.get_settings().event_hub_name == "first"
        monkeypatch.setenv("EventHubName", "second")
        assert module.get_settings().event_hub_name == "first"
    finally:
        module.get_settings.cache_clear()


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        read_settings({}).store = "azure"  # type: ignore[misc]


@pytest.mark.parametrize("name", ["RETENTION_MESSAGES_HOURS", "RETENTION_DEADLETTERS_HOURS"])
def test_what_a_batch_is_told_by_is_kept_as_long_as_the_batch(name: str) -> None:
    with pytest.raises(SettingError) as caught:
        read_settings({name: "24", "RETENTION_BATCHES_HOURS": "25"})
    assert caught.value.name == name
    assert "RETENTION_BATCHES_HOURS, which is 25" in str(caught.value)
    assert read_settings({name: "24", "RETENTION_BATCHES_HOURS": "24"}).retention.batches_hours == 24


@pytest.mark.parametrize(
    ("schedule", "seconds"),
    [
        ("*/10 * * * * *", 8), ("30 * * * * *", 48), ("0 */5 * * * *", 48), ("*/20 * * * * *", 16),
        ("0/30 * * * * *", 24), ("* * * * * *", 8), ("*/2 * * * * *", 8), ("0,30 * * * * *", 8),
        ("0-59/5 * * * * *", 8),
    ],
)  # fmt: skip
def test_a_run_for_flights_takes_most_of_the_time_to_the_next(schedule: str, seconds: float) -> None:
    assert read_settings({"FLIGHTS_SCHEDULE": schedule}).flights.run_seconds == pytest.approx(seconds)
