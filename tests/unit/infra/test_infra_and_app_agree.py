"""Bicep and app name the same settings, containers, hub, group, roles and metrics; one changed alone fails here."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pycep
import pytest

import settings
from http_api import endpoints
from http_api.authorization import Role
from observability.metrics import Instruments
from storage.azure.containers import CONTAINERS, MESSAGES
from tests.support import registered
from tests.support.azure_roles import ROLE_NAMES

ROOT = Path(__file__).resolve().parents[3]
INFRA = ROOT / "infra"

# Read by the Functions host, an extension or an SDK, not by ``settings``.
READ_BY_THE_HOST = {
    "AzureWebJobsStorage__accountName",
    "AzureWebJobsStorage__credential",
    "AzureWebJobsStorage__clientId",
    "EventHubConnection__credential",
    "EventHubConnection__clientId",
    "AZURE_CLIENT_ID",  # azure-identity: which user-assigned identity
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "AzureWebJobsDisableHomepage",  # the page is at /
    "PYTHON_THREADPOOL_THREAD_COUNT",
    "AzureFunctionsJobHost__logging__logLevel__Function",
    "AzureFunctionsJobHost__extensions__eventHubs__maxWaitTime",
}


def bicep(name: str) -> Any:
    return pycep.BicepParser().parse(text=(INFRA / name).read_text(encoding="utf-8"))


def variable(module: str, name: str) -> Any:
    return bicep(module)["variables"][name]["value"]


class Recorder(Mapping[str, str]):
    """An environment that remembers what it was asked for."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def deployed() -> Recorder:
    """The app's environment in Azure; values from other modules are filled in with something of their kind."""
    filled = {
        "COSMOS_ENDPOINT": "https://cosmos.documents.azure.com:443/",
        "COSMOS_DATABASE": variable("modules/cosmos.bicep", "databaseName"),
        "BATCH_BLOB_ACCOUNT_URL": "https://data.blob.core.windows.net/",
        "EventHubName": variable("modules/event-hubs.bicep", "hubName"),
        "EventHubConsumerGroup": variable("modules/event-hubs.bicep", "consumerGroupName"),
        "EventHubConnection__fullyQualifiedNamespace": "hub.servicebus.windows.net",
        "ALERT_WEBHOOKS": "https://ops.example.org/",
        "ALERT_WEBHOOK_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    }
    literal = {
        name: value
        for name, value in variable("modules/function-app.bicep", "appSettings").items()
        if isinstance(value, str) and "$" not in value
    }
    names = set(variable("modules/function-app.bicep", "appSettings"))
    assert set(filled) <= names
    platform = {"WEBSITE_SKU": "FlexConsumption", "WEBSITE_AUTH_ENABLED": "True"}
    return Recorder({**{name: literal.get(name, "x") for name in names}, **filled, **platform})


def test_the_app_starts_with_the_settings_that_infra_gives_it() -> None:
    environ = deployed()
    read = settings.read_settings(environ)
    hub = settings.read_event_hub(environ, read)

    assert (read.store, read.auth_mode, read.app_service_auth_enabled) == ("azure", "app-service", True)
    assert read.azure is not None
    assert (read.azure.cosmos_key, read.azure.blob_connection_string) == (None, None)
    assert hub.fully_qualified_namespace == "hub.servicebus.windows.net"
    assert hub.connection_string is None


def test_every_setting_of_infra_is_read_by_somebody() -> None:
    environ = deployed()
    settings.read_event_hub(environ, settings.read_settings(environ))

    given = set(variable("modules/function-app.bicep", "appSettings"))
    assert given - environ.asked - READ_BY_THE_HOST == set()
    assert given >= READ_BY_THE_HOST


def test_hub_and_group_are_the_apps_defaults() -> None:
    defaults = settings.read_settings({})
    assert variable("modules/event-hubs.bicep", "hubName") == defaults.event_hub_name
    assert variable("modules/event-hubs.bicep", "consumerGroupName") == defaults.event_hub_consumer_group


def test_the_emulators_hub_is_the_apps_too() -> None:
    text = (INFRA / "emulators" / "event-hubs.json").read_text()
    defaults = settings.read_settings({})
    assert f'"Name": "{defaults.event_hub_name}"' in text
    assert f'"Name": "{defaults.event_hub_consumer_group}"' in text


def test_cosmos_containers_keys_and_indexes_are_the_apps() -> None:
    made = {
        container["name"]: (container["partitionKey"], set(container["indexed"]))
        for container in variable("modules/cosmos.bicep", "containers")
    }
    assert made == {spec.name: (spec.key_paths, set(spec.indexed)) for spec in CONTAINERS}
    text = (INFRA / "modules" / "cosmos.bicep").read_text()
    assert f"options: container.name != '{MESSAGES}' ? {{}} : autoscale" in text


def test_the_batches_container_is_the_apps() -> None:
    text = (INFRA / "modules" / "storage.bicep").read_text()
    azure = settings.read_settings(deployed()).azure
    assert azure is not None
    container = settings.read_settings(
        {"STORE": "azure", "COSMOS_ENDPOINT": "https://c/", "BATCH_BLOB_ACCOUNT_URL": "https://b/"}
    ).azure
    assert container is not None
    assert f"output batchContainer string = '{container.blob_container}'" in text
    assert f"name: '{container.blob_container}'" in text
    # Raw bytes and large dead letters are never deleted by age: a failed batch waits for a person.
    assert re.findall(r"prefixMatch: \[(.*)\]", text) == [f"'{container.blob_container}/staged/'"]


def test_roles_are_known_data_plane_roles_and_no_key_is_used() -> None:
    text = "".join(path.read_text() for path in sorted(INFRA.rglob("*.bicep")))
    guids = set(re.findall(r"'([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})'", text))
    assert guids == set(ROLE_NAMES)
    assert not re.search(r"(?i)listkeys|accountkey|primarykey|sharedaccesskey=", text)
    assert text.count("disableLocalAuth: true") == 2  # Event Hubs, Cosmos DB
    assert "DisableLocalAuth: true" in text  # Application Insights
    assert text.count("allowSharedKeyAccess: false") == text.count("Microsoft.Storage/storageAccounts@") - 1


def test_alerts_read_metrics_that_the_app_records() -> None:
    class Names:
        def __init__(self) -> None:
            self.made: set[str] = set()

        def create_counter(self, name: str, *_: str) -> None:
            self.made.add(name)

        create_histogram = create_counter

    names = Names()
    Instruments(names)
    text = (INFRA / "modules" / "alerts.bicep").read_text()
    read = set(re.findall(r'name == "(telemetry\.[a-z.]+)"', text))
    assert read
    assert read <= names.made
    # What is sampled or left out in Azure is nothing that an alert may rest on.
    logging = json.loads((ROOT / "host.json").read_text())["logging"]
    assert logging["logLevel"]["Host.Results"] == "Error"
    assert not re.search(r"\b(requests|traces|dependencies)\b *\|", text)
    assert {"Exception", "Trace"} <= set(logging["applicationInsights"]["samplingSettings"]["excludedTypes"].split(";"))


def test_only_open_routes_are_left_out_of_sign_in() -> None:
    text = (INFRA / "modules" / "function-app.bicep").read_text()
    match = re.search(r"excludedPaths: \[(.*)\]", text)
    assert match
    excluded = set(re.findall(r"'([^']+)'", match[1]))
    opened = {re.sub(r"\{\*\w+\}", "*", endpoint.path) for endpoint in endpoints if endpoint.role is None}
    # Asked by the page to learn who has signed in: those who have not are to be told so by App Service itself.
    assert excluded == opened - {"/api/me"}


def test_the_sites_settings_are_changed_one_after_the_other() -> None:
    """A site that is being changed refuses the next change (409); each waits for the one before."""
    text = (INFRA / "modules" / "function-app.bicep").read_text()
    configurations = re.findall(r"\n  resource (\w+) 'config' = \{\n(.*?)\n  \}", text, re.S)
    for (before, _), (name, body) in itertools.pairwise(configurations):
        assert f"dependsOn: [{before}]" in body, name
    assert len(configurations) == 2


def test_the_registration_has_the_roles_that_the_app_asks_for() -> None:
    made = {role["value"] for role in json.loads((INFRA / "app-roles.json").read_text())}
    assert made == {role.value for role in Role}
    guide = (ROOT / "docs" / "deployment.md").read_text()
    assert all(f"`{role}`" in guide for role in made)


PROFILES = json.loads((INFRA / "profiles.json").read_text())
# https://learn.microsoft.com/azure/event-hubs/event-hubs-quotas and the Flex Consumption plan's limits.
STANDARD_PARTITIONS, STANDARD_UNITS, FLEX_MEMORY, FLEX_INSTANCES = 32, 40, {512, 2048, 4096}, 1000


def test_every_parameter_of_the_template_can_be_set_from_the_environment() -> None:
    declared = set(bicep("main.bicep")["parameters"])
    given = json.loads((INFRA / "main.parameters.json").read_text())["parameters"]
    assert set(given) == declared - {"capture"}  # captured files cost: a decision for whoever edits the template
    for name, entry in given.items():
        assert re.fullmatch(r"\$\{[A-Z_]+(=[^}]*)?\}", entry["value"]), name
        default = re.search(r"=([^}]*)", entry["value"])
        if default is None:
            assert name in {"environmentName", "location", "authClientId"}


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_a_profile_is_within_what_its_services_offer(name: str) -> None:
    profile = PROFILES[name]
    assert 1 <= profile["partitionCount"] <= STANDARD_PARTITIONS
    assert 1 <= profile["throughputUnits"] <= profile["maxThroughputUnits"] <= STANDARD_UNITS
    assert profile["cosmosMaxThroughput"] % 100 == profile["ledgerMaxThroughput"] % 1000 == 0
    assert profile["instanceMemoryMB"] in FLEX_MEMORY
    ready = {entry["name"]: entry["instanceCount"] for entry in profile["alwaysReady"]}
    assert sum(ready.values()) <= profile["maximumInstanceCount"] <= FLEX_INSTANCES
    # The ingest function is a group of its own; the durable group holds orchestrator, activities and entity.
    assert set(ready) == {"http", "durable", "function:ingest"}
    assert "ingest" in registered.functions()
    # More instances than control queues have no durable work to do.
    assert ready["durable"] <= profile["durablePartitionCount"] <= 16


def test_the_template_offers_the_profiles_that_there_are() -> None:
    text = (INFRA / "main.bicep").read_text()
    allowed = re.search(r"@allowed\(\[([^\]]*)\]\)\n(?:@.*\n)*param fleetProfile", text)
    assert allowed
    assert set(re.findall(r"'(\d+)'", allowed[1])) == set(PROFILES)
    assert set(re.findall(r"size\.(\w+)", text)) == set(next(iter(PROFILES.values())))
    assert all(set(profile) == set(PROFILES["1000"]) for profile in PROFILES.values())


def test_the_schedulers_settings_override_what_host_json_says() -> None:
    """Names of host.json's own settings, so that one file serves both durable backends."""
    text = (INFRA / "modules" / "function-app.bicep").read_text()
    host = json.loads((ROOT / "host.json").read_text())
    named = re.findall(r"AzureFunctionsJobHost__(\w+):", text)
    assert len(named) == 6
    for name in named:
        *path, last = name.split("__")
        there = host
        for part in path:
            there = there[part]
        assert last in there or last in ("connectionStringName", "Function")


def test_a_private_network_closes_storage_and_cosmos_and_has_an_endpoint_for_each_use() -> None:
    network = (INFRA / "modules" / "network.bicep").read_text()
    endpoints = set(re.findall(r"target: (\w+), group: '(\w+)'", network))
    assert endpoints == {
        ("hostAccountId", "blob"),
        ("hostAccountId", "queue"),
        ("hostAccountId", "table"),
        ("dataAccountId", "blob"),
        ("cosmosAccountId", "Sql"),
    }
    storage = (INFRA / "modules" / "storage.bicep").read_text()
    assert storage.count("publicNetworkAccess: publicAccess ? 'Enabled' : 'Disabled'") == 2
    assert "publicNetworkAccess: publicAccess" in (INFRA / "modules" / "cosmos.bicep").read_text()


def test_hooks_run_files_that_are_there_on_either_kind_of_shell() -> None:
    text = (ROOT / "azure.yaml").read_text()
    runs = re.findall(r"(posix|windows): \{ shell: (\w+), run: (python3?) (-m )?([\w./]+)", text)
    assert len(runs) == text.count("run:") > 0
    for system, shell, python, module, target in runs:
        assert (shell, python) == (("sh", "python3") if system == "posix" else ("pwsh", "python"))
        path = target.replace(".", "/") + ".py" if module else target
        assert (ROOT / path).is_file(), target
    assert len({target for system, *_, target in runs if system == "posix"}) * 2 == len({(r[0], r[4]) for r in runs})


def test_nothing_that_a_machine_makes_is_deployed() -> None:
    """azd leaves a virtual environment out by itself only where there is no .funcignore."""
    ignored = (ROOT / ".funcignore").read_text().split()
    assert {".*", "venv/", "*_env/", "__pycache__", "node_modules"} <= set(ignored)


def test_what_is_deployed_is_the_apps_rooms() -> None:
    ignored = (ROOT / ".funcignore").read_text().split()
    rooms = {
        "activities",
        "config",
        "durable_sdk",
        "entities",
        "event_hub",
        "http_api",
        "observability",
        "orchestrators",
    }
    rooms |= {"orchestrators", "pipeline", "settings", "starters", "storage", "telemetry", "web", "webhooks"}
    files = {"function_app.py", "host.json", "reference_data.py", "requirements.txt"}
    for path in ROOT.iterdir():
        name = path.name
        left_out = name in ignored or name.startswith((".", "local.settings")) or name.endswith(".md")
        assert left_out != (name in rooms | files), (
            f"{name}: in .funcignore or in the list of rooms, not both, not neither"
        )
