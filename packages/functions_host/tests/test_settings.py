from __future__ import annotations

import json
from pathlib import Path

import pytest
from functions_host.durable import DurableOptions
from functions_host.errors import StartError
from functions_host.host_json import InitialOffset, read_host_json
from functions_host.settings import apply_local_settings, parse_timespan, read_local_settings, resolve


def write(folder: Path, name: str, document: object) -> None:
    (folder / name).write_text(document if isinstance(document, str) else json.dumps(document))


def test_the_environment_wins_over_local_settings(tmp_path: Path) -> None:
    write(
        tmp_path,
        "local.settings.json",
        {"Values": {"A": "file", "B": "file", "N": 5, "T": True}, "Host": {"CORS": "*"}},
    )
    settings = read_local_settings(tmp_path)
    environ = {"A": "process"}
    assert apply_local_settings(settings, environ) == ["B", "N", "T"]
    assert environ == {"A": "process", "B": "file", "N": "5", "T": "true"}
    assert settings.host == {"CORS": "*"}


def test_no_local_settings_is_fine(tmp_path: Path) -> None:
    assert read_local_settings(tmp_path).values == {}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{oops", "not valid JSON"),
        ({"IsEncrypted": True, "Values": {}}, "encrypted"),
        ({"IsEncrypted": "maybe"}, "IsEncrypted must be true or false"),
        ({"Values": {"A": {}}}, r"Values\.A must be a text"),
        ({"Values": []}, r"Values must be an object, not \[\]"),
        ({"Values": {"A=B": "x"}}, "'A=B' cannot be the name"),
        ({"Host": 1}, "Host must be an object"),
        ({"Host": {"LocalHttpPort": "soon"}}, r"Host\.LocalHttpPort must be a whole number from 0 to 65535"),
        ({"Host": {"LocalHttpPort": 99999}}, r"Host\.LocalHttpPort"),
        ({"Host": {"CORS": ["*"]}}, r"Host\.CORS must be a text"),
        ({"Host": {"CORSCredentials": "sure"}}, r"Host\.CORSCredentials must be true or false"),
        ([], "object"),
    ],
)
def test_bad_local_settings_stop_the_start(tmp_path: Path, document: object, message: str) -> None:
    write(tmp_path, "local.settings.json", document)
    with pytest.raises(StartError, match=message):
        read_local_settings(tmp_path)


def test_settings_that_the_environment_cannot_hold_are_named(tmp_path: Path) -> None:
    write(tmp_path, "local.settings.json", {"Values": {"A": "x\0y"}})
    with pytest.raises(StartError, match=r"Values\.A cannot be a setting"):
        apply_local_settings(read_local_settings(tmp_path))


COMMENTED = """
// the settings
{
    "Values": { /* of
                   the app */
        "URL": "http://x//y",  // not a comment inside
        "TEXT": "a /* b */ ,] c\\" d",
        "N": "50",
    }, // the last one
    "Host": {"LocalHttpPort": "7075", "CORSCredentials": "true",},
}
"""


def test_comments_and_trailing_commas_are_accepted(tmp_path: Path) -> None:
    write(tmp_path, "local.settings.json", COMMENTED.replace('\\\\"', '\\"'))
    settings = read_local_settings(tmp_path)
    assert settings.values == {"URL": "http://x//y", "TEXT": 'a /* b */ ,] c" d', "N": "50"}
    assert settings.host == {"LocalHttpPort": 7075, "CORSCredentials": True}
    write(tmp_path, "host.json", '{"extensions": {"eventHubs": {"maxEventBatchSize": "50",},}, /* end */}')
    assert read_host_json(tmp_path, {}).event_hubs.max_batch == 50


def test_an_error_in_json_keeps_its_line(tmp_path: Path) -> None:
    write(tmp_path, "host.json", '{\n// one\n/* two\nthree */ "a" 5\n}')
    with pytest.raises(StartError, match=r"host\.json is not valid JSON.*line 4 column 14"):
        read_host_json(tmp_path, {})


@pytest.mark.parametrize("text", ["[" * 100_000, b"\xff\xfe{", "", "null", "{]"])
def test_nonsense_is_one_line(tmp_path: Path, text: str | bytes) -> None:
    (tmp_path / "host.json").write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(StartError, match=r"host\.json") as caught:
        read_host_json(tmp_path, {})
    assert "\n" not in str(caught.value)


def test_percent_names_are_resolved_or_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB", "telemetry")
    assert resolve("%HUB%-x", "function 'f'") == "telemetry-x"
    with pytest.raises(StartError, match=r"function 'f'.*'NOT_SET_ANYWHERE'"):
        resolve("%NOT_SET_ANYWHERE%", "function 'f'")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("00:00:05", 5),
        ("00:00:00.250", 0.25),
        ("01:02:03", 3723),
        ("1.00:00:01", 86401),
        ("00:10", 600),
        ("00:00:00.1234567", 0.1234567),
    ],
)
def test_time_spans(text: str, seconds: float) -> None:
    assert parse_timespan(text, "x") == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["5", "soon", "24:00:00", "00:60:00", "00:00:61", "-00:00:01", ""])
def test_bad_time_spans_are_named(text: str) -> None:
    with pytest.raises(StartError, match=r"host\.json x"):
        parse_timespan(text, "host.json x")


def test_host_json_defaults_are_the_real_hosts(tmp_path: Path) -> None:
    write(tmp_path, "host.json", {"version": "2.0"})
    config = read_host_json(tmp_path, {})
    assert (config.route_prefix, config.function_timeout, config.max_request_bytes) == ("api", 1800.0, 104_857_600)
    hubs = config.event_hubs
    assert (hubs.max_batch, hubs.min_batch, hubs.max_wait, hubs.prefetch, hubs.checkpoint_frequency) == (
        100,
        1,
        60,
        300,
        1,
    )
    assert hubs.initial_offset == InitialOffset("fromStart")
    assert config.functions is None


def test_an_empty_list_of_functions_means_all(tmp_path: Path) -> None:
    for given, read in (([], None), (["a", "b"], ("a", "b"))):
        write(tmp_path, "host.json", {"functions": given})
        assert read_host_json(tmp_path, {}).functions == read


def test_host_json_is_read_and_settings_override_it(tmp_path: Path) -> None:
    event_hubs = {"maxEventBatchSize": 50, "minEventBatchSize": 5, "maxWaitTime": "00:00:00.250"}
    http = {"routePrefix": "/v1/"}
    write(tmp_path, "host.json", {"functionTimeout": "-1", "extensions": {"http": http, "eventHubs": event_hubs}})
    environ = {
        "AzureFunctionsJobHost__extensions__eventHubs__maxEventBatchSize": "70",
        "AzureFunctionsJobHost__logging__logLevel__default": "Warning",
        "AZUREFUNCTIONSJOBHOST__EXTENSIONS__EVENTHUBS__INITIALOFFSETOPTIONS__TYPE": "fromend",
    }
    config = read_host_json(tmp_path, environ)
    assert (config.route_prefix, config.function_timeout) == ("v1", None)
    assert (config.event_hubs.max_batch, config.event_hubs.min_batch, config.event_hubs.max_wait) == (70, 5, 0.25)
    assert config.event_hubs.initial_offset.kind == "fromEnd"
    assert config.log_levels == {"default": "Warning"}


def test_a_wrong_value_from_the_environment_names_its_variable(tmp_path: Path) -> None:
    write(tmp_path, "host.json", {})
    setting = "AzureFunctionsJobHost__extensions__eventHubs__prefetchCount"
    with pytest.raises(StartError, match=f"prefetchCount \\(set by {setting}\\) must be a whole number"):
        read_host_json(tmp_path, {setting: "many"})


def test_names_in_percent_signs_are_resolved_in_host_json(tmp_path: Path) -> None:
    write(tmp_path, "host.json", {"extensions": {"durableTask": {"hubName": "%TASKS%2"}}})
    raw = read_host_json(tmp_path, {"TASKS": "Mine"}).raw
    assert DurableOptions.from_host_json(raw).hub_name == "Mine2"


def test_log_levels_may_be_numbers(tmp_path: Path) -> None:
    write(tmp_path, "host.json", {"logging": {"logLevel": {"default": 3, "Host": "none"}}})
    assert read_host_json(tmp_path, {}).log_levels == {"default": "Warning", "Host": "None"}


def test_the_functions_to_run_may_come_from_the_environment(tmp_path: Path) -> None:
    write(tmp_path, "host.json", {})
    environ = {"AzureFunctionsJobHost__functions__0": "a", "AzureFunctionsJobHost__functions__1": "b"}
    assert read_host_json(tmp_path, environ).functions == ("a", "b")


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ([], "extensions.durableTask must be an object"),
        ({"maxConcurrentActivityFunctions": "many"}, "maxConcurrentActivityFunctions must be a whole number"),
        ({"maxConcurrentActivityFunctions": -1}, "maxConcurrentActivityFunctions"),
        ({"maxConcurrentOrchestratorFunctions": 0}, "maxConcurrentOrchestratorFunctions"),
        ({"maxEntityOperationBatchSize": True}, "maxEntityOperationBatchSize"),
        ({"versionMatchStrategy": "Newest"}, "versionMatchStrategy must be one of CurrentOrOlder, Strict, None"),
        ({"overridableExistingInstanceStates": "All"}, "overridableExistingInstanceStates"),
        ({"storageProvider": "x"}, "storageProvider must be an object"),
        (
            {"storageProvider": {"synchronous": "sometimes"}},
            r"storageProvider\.synchronous must be one of normal, full",
        ),
        ({"httpSettings": {"defaultAsyncRequestSleepTimeMilliseconds": "x"}}, "defaultAsyncRequestSleepTimeMilli"),
        ({"hubName": []}, "hubName must be a text"),
    ],
)
def test_a_wrong_value_of_the_durable_extension_is_named(section: object, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        DurableOptions.from_host_json({"extensions": {"durableTask": section}})
    assert str(caught.value).startswith("host.json extensions.durableTask")


def test_numbers_of_the_durable_extension_may_be_texts() -> None:
    section = {"MAXConcurrentActivityFunctions": "50"}
    assert DurableOptions.from_section(section).max_concurrent_activities == 50


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{", "host.json is not valid JSON"),
        ([], "object"),
        ({"functions": "all"}, "functions"),
        ({"functions": [1]}, "functions"),
        ({"functionTimeout": "soon"}, "functionTimeout"),
        ({"functionTimeout": "00:00:00"}, "functionTimeout"),
        ({"version": "1.0"}, "version"),
        ({"logging": []}, "host.json logging must be an object"),
        ({"logging": {"logLevel": {"default": "Loud"}}}, r"host.json logging.logLevel.default must be one of Trace"),
        ({"logging": {"logLevel": {"default": None}}}, r"logLevel.default must be one of"),
        ({"extensions": {"durableTask": []}}, r"extensions.durableTask must be an object, not \[\]"),
        ({"extensions": {"durableTask": {"hubName": 5}}}, r"durableTask.hubName must be a text, not 5"),
        ({"extensions": {"durableTask": {"hubName": "%NOT_SET%"}}}, "'NOT_SET' is not set"),
        ({"extensions": {"http": {"routePrefix": 5}}}, "routePrefix must be a text"),
        ({"extensions": {"eventHubs": {"prefetchCount": True}}}, "prefetchCount must be a whole number"),
        ({"extensions": {"eventHubs": {"prefetchCount": "1.5"}}}, "prefetchCount"),
        ({"extensions": {"eventHubs": {"maxWaitTime": 5}}}, "maxWaitTime"),
        ({"extensions": []}, "extensions"),
        ({"extensions": {"eventHubs": {"maxEventBatchSize": 0}}}, "maxEventBatchSize"),
        ({"extensions": {"eventHubs": {"prefetchCount": "many"}}}, "prefetchCount"),
        ({"extensions": {"eventHubs": {"minEventBatchSize": 101}}}, "minEventBatchSize"),
        ({"extensions": {"eventHubs": {"maxWaitTime": "00:11:00"}}}, "maxWaitTime"),
        (
            {"extensions": {"eventHubs": {"initialOffsetOptions": {"type": "fromHere"}}}},
            "initialOffsetOptions.type must be one of",
        ),
        ({"extensions": {"eventHubs": {"initialOffsetOptions": {"type": "fromEnqueuedTime"}}}}, "enqueuedTimeUtc"),
        (
            {
                "extensions": {
                    "eventHubs": {"initialOffsetOptions": {"type": "fromEnqueuedTime", "enqueuedTimeUtc": "x"}}
                }
            },
            "ISO 8601",
        ),
    ],
)
def test_a_wrong_value_in_host_json_is_named(tmp_path: Path, document: object, message: str) -> None:
    write(tmp_path, "host.json", document)
    with pytest.raises(StartError, match=message):
        read_host_json(tmp_path, {})


def test_a_missing_host_json_says_what_app_means(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="--app"):
        read_host_json(tmp_path, {})


def test_the_body_limit_is_a_setting(tmp_path: Path) -> None:
    write(tmp_path, "host.json", {})
    assert read_host_json(tmp_path, {"FUNCTIONS_REQUEST_BODY_SIZE_LIMIT": "200000000"}).max_request_bytes == 200_000_000
    for wrong in ("0", "-1", "10MB", "1e3"):
        with pytest.raises(StartError, match="FUNCTIONS_REQUEST_BODY_SIZE_LIMIT"):
            read_host_json(tmp_path, {"FUNCTIONS_REQUEST_BODY_SIZE_LIMIT": wrong})
