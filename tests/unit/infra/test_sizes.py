"""Sizes that contradict each other stop a deployment before anything is made, with both names."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "infra" / "scripts" / "check_sizes.py"
_GLOBALS = runpy.run_path(str(SCRIPT))
PROFILES: dict[str, Any] = _GLOBALS["PROFILES"]
contradictions: Callable[[dict[str, str]], list[str]] = _GLOBALS["contradictions"]


@pytest.mark.parametrize("profile", sorted(PROFILES))
@pytest.mark.parametrize("backend", ["storage", "scheduler"])
def test_what_the_profiles_say_goes_together(profile: str, backend: str) -> None:
    dedicated = {"SCHEDULER_SKU": "Dedicated", "SCHEDULER_CAPACITY": "3"}
    assert contradictions({"FLEET_PROFILE": profile, "DURABLE_BACKEND": backend, **dedicated}) == []
    assert contradictions({}) == []


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_what_is_empty_is_not_set(profile: str) -> None:
    names = [*_GLOBALS["_SIZES"], "SCHEDULER_CAPACITY", "VNET_ENABLED", "ALERT_WEBHOOKS", "ALERT_WEBHOOK_SECRET"]
    empty = dict.fromkeys(names, "") | {"FLEET_PROFILE": profile}
    for autoscale in ("", "false", "true", "1"):
        assert contradictions(empty | {"COSMOS_AUTOSCALE": autoscale}) == []


@pytest.mark.parametrize(
    ("environ", "line"),
    [
        ({"FLEET_PROFILE": "5000"}, "FLEET_PROFILE is '5000'; allowed: 1000, 10000"),
        ({"EVENT_HUB_UNITS": "9"}, "EVENT_HUB_UNITS is 9; allowed: at most EVENT_HUB_MAX_UNITS, which is 4"),
        ({"EVENT_HUB_PARTITIONS": "40"}, "EVENT_HUB_PARTITIONS is 40; allowed: 1 to 32"),
        ({"EVENT_HUB_MAX_UNITS": "41"}, "EVENT_HUB_MAX_UNITS is 41; allowed: 1 to 40"),
        ({"DURABLE_PARTITIONS": "17"}, "DURABLE_PARTITIONS is 17; allowed: 1 to 16"),
        ({"INSTANCE_MEMORY_MB": "1024"}, "INSTANCE_MEMORY_MB is 1024; allowed: 512, 2048, 4096"),
        (
            {"MAXIMUM_INSTANCES": "3"},
            "MAXIMUM_INSTANCES is 3; allowed: at least the 4 always ready ones of FLEET_PROFILE",
        ),
        ({"COSMOS_MAX_RU": "7550"}, "COSMOS_MAX_RU is 7550; allowed: a multiple of 100"),
        (
            {"COSMOS_MAX_RU": "7500", "COSMOS_AUTOSCALE": "true"},
            "COSMOS_MAX_RU is 7500; allowed with COSMOS_AUTOSCALE: a multiple of 1000",
        ),
        ({"COSMOS_LEDGER_MAX_RU": "4100"}, "COSMOS_LEDGER_MAX_RU is 4100; allowed: a multiple of 1000"),
        (
            {"COSMOS_MAX_RU": "7500", "COSMOS_AUTOSCALE": "True"},
            "COSMOS_MAX_RU is 7500; allowed with COSMOS_AUTOSCALE: a multiple of 1000",
        ),
        ({"COSMOS_MAX_RU": "300"}, "COSMOS_MAX_RU is 300; allowed: at least 400"),
        ({"COSMOS_AUTOSCALE": "yes"}, "COSMOS_AUTOSCALE is 'yes'; allowed: true, false"),
        ({"VNET_ENABLED": "on"}, "VNET_ENABLED is 'on'; allowed: true, false"),
        ({"ALERT_WEBHOOKS": "https://ops.example.org/"}, "ALERT_WEBHOOKS is set, and needs ALERT_WEBHOOK_SECRET"),
        ({"COSMOS_MAX_RU": "much"}, "COSMOS_MAX_RU is 'much'; allowed: a whole number, 0 for the profile's"),
        (
            {"FLEET_PROFILE": "10000", "DURABLE_BACKEND": "scheduler"},
            "FLEET_PROFILE 10000 asks for about 1500 actions a second; SCHEDULER_SKU Consumption with "
            "SCHEDULER_CAPACITY 1 is good for 250",
        ),
        (
            {"FLEET_PROFILE": "10000", "DURABLE_BACKEND": "scheduler", "SCHEDULER_SKU": "Dedicated"},
            "SCHEDULER_SKU Dedicated with SCHEDULER_CAPACITY 1 is good for 1000",
        ),
        ({"DURABLE_BACKEND": "scheduler", "SCHEDULER_SKU": "Free"}, "SCHEDULER_SKU is 'Free'; allowed: Consumption"),
    ],
)
def test_what_does_not_is_told_with_both_names(environ: dict[str, str], line: str) -> None:
    (found,) = contradictions(environ)
    assert line in found


def test_it_stops_the_deployment() -> None:
    def run(**environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(SCRIPT)], env={**os.environ, **environ}, capture_output=True, text=True, timeout=30
        )

    assert run().returncode == 0
    stopped = run(EVENT_HUB_UNITS="9", INSTANCE_MEMORY_MB="7")
    assert stopped.returncode == 1
    assert stopped.stderr.count("sizes: ") == 2
