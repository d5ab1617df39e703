"""What docs/deployment.md says that can be looked up is so: names, defaults, roles, hooks, numbers, commands."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.scaling import counts
from http_api import endpoints
from http_api.authorization import Role
from tests.support.azure_roles import ROLE_NAMES
from tools.bicep_files import read

ROOT = Path(__file__).resolve().parents[3]
INFRA = ROOT / "infra"
GUIDE = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
PARAMETERS = json.loads((INFRA / "main.parameters.json").read_text())["parameters"]
PROFILES = json.loads((INFRA / "profiles.json").read_text())
MODULES = {path.name: path.read_text() for path in (INFRA / "modules").glob("*.bicep")}
MAIN = (INFRA / "main.bicep").read_text()


def rows(heading: str) -> list[list[str]]:
    """Cells of the first table under a heading."""
    part = GUIDE.split(f"\n{heading}", 1)[1]
    table = re.search(r"(?:^\|.*\n)+", part, re.M)
    assert table
    return [[cell.strip() for cell in line.strip("|\n").split(" | ")] for line in table[0].splitlines()[2:]]


def names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_every_size_that_can_be_set_is_in_the_table_with_its_default() -> None:
    variables = {
        re.match(r"\$\{([A-Z_]+)(?:=(.*))?\}", entry["value"]).groups()  # type: ignore[union-attr]
        for entry in PARAMETERS.values()
    }
    elsewhere = {"AZURE_ENV_NAME", "AZURE_LOCATION", "AUTH_CLIENT_ID", "ALERT_EMAIL", "FLEET_PROFILE"}
    elsewhere |= {"ALERT_WEBHOOKS", "ALERT_WEBHOOK_SECRET"}
    expected = {name: "the profile's" if default == "0" else default for name, default in variables}
    said: dict[str, str] = {}
    for name, _, default in rows("## Sizes"):
        values = [part.strip("` |") for part in default.split(",")]
        said |= dict(zip(names(name), values * len(names(name)), strict=False))
    assert said == {name: default for name, default in expected.items() if name not in elsewhere}
    assert {"FLEET_PROFILE", "ALERT_EMAIL", "ALERT_WEBHOOKS"} <= set(re.findall(r"azd env set (\w+)", GUIDE))


def test_what_may_be_chosen_is_what_the_template_takes() -> None:
    said = {name: what for cell, what, _ in rows("## Sizes") for name in names(cell)}
    for name, parameter in (("STORAGE_SKU", "storageSku"), ("DURABLE_BACKEND", "durableBackend")):
        allowed = re.search(rf"@allowed\(\[([^\]]*)\]\)\n(?:@.*\n)*param {parameter} ", MAIN)
        assert allowed
        assert set(names(said[name])) == set(re.findall(r"'([^']+)'", allowed[1]))
    assert set(re.findall(r"\d+", said["INSTANCE_MEMORY_MB"])) == {"512", "2048", "4096"}
    assert "1 to 16" in said["DURABLE_PARTITIONS"]
    assert set(PROFILES) == set(re.findall(r"\b(1000\d*)\b", GUIDE.split("## Who gets in")[0])) == {"1000", "10000"}


def test_the_roles_are_those_that_infra_gives() -> None:
    given = {name for guid, name in ROLE_NAMES.items() if any(guid in text for text in MODULES.values())}
    said = {
        role
        for _, cell in rows("accounts, and the identity holds these data-plane roles only:")
        for role in re.sub(r" \(.*?\)", "", cell).split(", ")
    }
    assert said == given - {"Durable Task Data Contributor"}  # with the scheduler only


def test_the_apps_roles_are_told_as_the_registration_tells_them() -> None:
    registered = {
        role["value"]: role["description"].lower() for role in json.loads((INFRA / "app-roles.json").read_text())
    }
    assert {names(role)[0]: may.lower() for role, may in rows("Give people, groups and programs")} == registered
    # Each kind of thing that only this role may change (docs/security.md has every route).
    asked = {endpoint.path.split("/")[2] for endpoint in endpoints if endpoint.role is Role.OPERATE}
    words = {"deadletters": "dead letters", "deadletter-groups": "dead letters", "stats": "statistics"}
    words["recovery"] = "batches"  # of events that the hub holds and the store never got
    assert {kind for kind in asked if words.get(kind, kind) not in registered["Operate"]} == set()


def test_the_hooks_are_those_of_azure_yaml() -> None:
    hooks = (ROOT / "azure.yaml").read_text()
    run = set(re.findall(r"shell: sh, run: python3 ([^}]+?) ?\}", hooks))
    said = {names(cell)[0] for _, cell, _ in rows("`azd up` runs these hooks")}
    assert {name.replace("python -m ", "-m ") for name in said} == run


@pytest.mark.parametrize(
    ("said", "text", "there"),
    [
        ("Python 3.12", "function-app.bicep", "version: '3.12'"),
        ("72 h retention", "event-hubs.bicep", "param retentionHours int = 72"),
        ("automatic inflate", "event-hubs.bicep", "isAutoInflateEnabled: true"),
        ("session consistency", "cosmos.bicep", "defaultConsistencyLevel: 'Session'"),
        ("local authentication is off", "cosmos.bicep", "disableLocalAuth: true"),
        ("local authentication is off", "event-hubs.bicep", "disableLocalAuth: true"),
        ("local authentication is off", "storage.bicep", "allowSharedKeyAccess: false"),
        ("Application Insights", "monitoring.bicep", "DisableLocalAuth: true"),
        ("One user-assigned identity", "function-app.bicep", "type: 'UserAssigned'"),
    ],
)
def test_what_is_made_is_as_it_says(said: str, text: str, there: str) -> None:
    assert said in GUIDE
    assert there in MODULES[text]


def test_the_profiles_numbers_are_as_it_says() -> None:
    for profile in PROFILES.values():
        assert f"takes {profile['httpConcurrency']} HTTP requests at once" in GUIDE
        assert profile["maxWaitTime"] == "00:00:01"
        assert profile["appSettings"]["RETENTION_MESSAGES_HOURS"] == str(7 * 24)
        assert re.fullmatch(r"\d+ \* \* \* \* \*", profile["appSettings"]["FLIGHTS_SCHEDULE"])
    for said in ("a batch window of one second", "kept for seven days", "once a minute"):
        assert said in GUIDE.replace("\n", " ")
    host = json.loads((ROOT / "host.json").read_text())
    assert host["extensionBundle"]["version"].startswith("[4.*")


def test_a_thousand_drones_fill_what_it_says() -> None:
    gigabytes = 1_000 * 86_400 * (counts.MESSAGE_BYTES + counts.SYSTEM_BYTES) / 1e9
    assert f"fill {gigabytes:.0f} GB of Cosmos DB a day" in GUIDE


def test_its_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", GUIDE):
        assert (ROOT / "docs" / target).exists(), target
    for path in re.findall(r"`((?:infra|web|tests|docs)/[\w./-]+)`", GUIDE):
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize("module", sorted(set(re.findall(r"python -m ([\w.]+)", GUIDE))))
def test_its_commands_can_be_run(module: str) -> None:
    if module == "tools.bicep_types":  # takes no option, and says what it takes
        answer = subprocess.run([sys.executable, "-m", module], cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert (answer.returncode, "CLONE" in answer.stdout) == (2, True)
        return
    answer = subprocess.run(
        [sys.executable, "-m", module, "--help"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert answer.returncode == 0
    assert "usage" in answer.stdout


def test_the_outputs_that_it_asks_azd_for_are_there() -> None:
    asked = set(re.findall(r"azd env get-value (\w+)", GUIDE))
    assert asked <= read(INFRA / "main.bicep").outputs
