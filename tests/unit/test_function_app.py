"""What the host finds when it loads the app."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import function_app
import pipeline.attempts
from pipeline.signals import DRONE
from tests.replay_gate.gate import recordings
from tests.support import registered

ROOT = Path(function_app.__file__).parent


@pytest.fixture(scope="module")
def functions() -> dict[str, str]:
    """Function name -> type of its trigger."""
    return {name: function.get_trigger().type for name, function in registered.functions().items()}


def test_everything_the_orchestrator_calls_is_registered_and_nothing_else(functions: dict[str, str]) -> None:
    recorded = json.dumps([recording["answers"] for recording in recordings().values()])
    called = set(re.findall(r'"functionName": "(\w+)"', recorded))
    assert called == {name for name, kind in functions.items() if kind == "activityTrigger"}


def test_the_orchestrator_that_is_started_and_the_entity_that_is_signalled_are_there(functions: dict[str, str]) -> None:
    assert functions[pipeline.attempts.ORCHESTRATOR] == "orchestrationTrigger"
    assert functions[DRONE] == "entityTrigger"


def test_the_hub_and_the_clock_have_their_functions(functions: dict[str, str]) -> None:
    assert functions["ingest"] == "eventHubTrigger"
    assert {name for name, kind in functions.items() if kind == "timerTrigger"} == {
        "sweeper",
        "purger",
        "flight_keeper",
        "alert_keeper",
    }


def test_the_app_is_a_table_of_contents() -> None:
    assert len((ROOT / "function_app.py").read_text().splitlines()) < 60


def test_the_host_file_fits_the_app() -> None:
    host = json.loads((ROOT / "host.json").read_text())
    assert host["version"] == "2.0"
    assert host["extensionBundle"]["version"] == "[4.*, 5.0.0)"
    # The page is at /, and the routes of the API carry their own prefix.
    assert host["extensions"]["http"]["routePrefix"] == ""
    hub = host["extensions"]["eventHubs"]
    assert hub["minEventBatchSize"] <= hub["maxEventBatchSize"]
    # Above 1 the host would hand over again what has long been processed, and target-based scaling would not scale in.
    assert hub["batchCheckpointFrequency"] == 1
