"""Before anything is made: whether the sizes that were set go together. Run by azd; ``--help`` says how by hand.

Reads the azd environment's values (which azd hands to its hooks) and the profile they override. Ends with 1 and one
line for each contradiction, with the names of both sides. An empty value counts as none, as it does to azd.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PROFILES: dict[str, Any] = json.loads((Path(__file__).resolve().parents[1] / "profiles.json").read_text())
# Names of the environment and of the profile.
_SIZES = {
    "EVENT_HUB_PARTITIONS": "partitionCount",
    "EVENT_HUB_UNITS": "throughputUnits",
    "EVENT_HUB_MAX_UNITS": "maxThroughputUnits",
    "COSMOS_MAX_RU": "cosmosMaxThroughput",
    "COSMOS_LEDGER_MAX_RU": "ledgerMaxThroughput",
    "INSTANCE_MEMORY_MB": "instanceMemoryMB",
    "MAXIMUM_INSTANCES": "maximumInstanceCount",
    "DURABLE_PARTITIONS": "durablePartitionCount",
}
_MEMORY = (512, 2048, 4096)
_LEAST_RU = 400
"""Of a container with throughput of its own."""
_TRUE, _FALSE = {"true", "True", "TRUE", "t", "T", "1"}, {"false", "False", "FALSE", "f", "F", "0"}
"""What azd takes for a bool."""
# Event Hubs Standard, Flex Consumption, the durable engine on Azure Storage: most of each.
_MOST = {
    "EVENT_HUB_PARTITIONS": 32,
    "EVENT_HUB_MAX_UNITS": 40,
    "MAXIMUM_INSTANCES": 1000,
    "DURABLE_PARTITIONS": 16,
    "SCHEDULER_CAPACITY": 3,
}
_ACTIONS = {"Consumption": 500, "Dedicated": 2_000}
"""Actions a second of the Durable Task Scheduler's SKUs (of a capacity unit)."""
_ACTIONS_OF_A_DRONE = 0.15
"""With a signal window, at one message a second (docs/scaling.md)."""
_USABLE = 0.5


def contradictions(environ: Mapping[str, str]) -> list[str]:
    name = environ.get("FLEET_PROFILE") or "1000"
    if name not in PROFILES:
        return [f"FLEET_PROFILE is {name!r}; allowed: {', '.join(PROFILES)}"]
    found: list[str] = []
    sizes: dict[str, int] = {}
    for variable, key in _SIZES.items():
        said = environ.get(variable) or "0"
        if not said.isdecimal():
            found.append(f"{variable} is {said!r}; allowed: a whole number, 0 for the profile's")
        sizes[variable] = int(said) if said.isdecimal() and int(said) else PROFILES[name][key]
    capacity = environ.get("SCHEDULER_CAPACITY") or "1"
    sizes["SCHEDULER_CAPACITY"] = int(capacity) if capacity.isdecimal() else 0
    found += [
        f"{variable} is {sizes[variable]}; allowed: 1 to {most}"
        for variable, most in _MOST.items()
        if not 1 <= sizes[variable] <= most
    ]
    if sizes["EVENT_HUB_UNITS"] > sizes["EVENT_HUB_MAX_UNITS"]:
        found.append(
            f"EVENT_HUB_UNITS is {sizes['EVENT_HUB_UNITS']}; allowed: at most EVENT_HUB_MAX_UNITS, which is "
            f"{sizes['EVENT_HUB_MAX_UNITS']}"
        )
    if sizes["INSTANCE_MEMORY_MB"] not in _MEMORY:
        found.append(f"INSTANCE_MEMORY_MB is {sizes['INSTANCE_MEMORY_MB']}; allowed: {', '.join(map(str, _MEMORY))}")
    ready = sum(group["instanceCount"] for group in PROFILES[name]["alwaysReady"])
    if sizes["MAXIMUM_INSTANCES"] < ready:
        found.append(
            f"MAXIMUM_INSTANCES is {sizes['MAXIMUM_INSTANCES']}; allowed: at least the {ready} always ready ones of "
            f"FLEET_PROFILE {name}"
        )
    for variable in ("COSMOS_AUTOSCALE", "VNET_ENABLED"):
        if (said := environ.get(variable) or "false") not in _TRUE | _FALSE:
            found.append(f"{variable} is {said!r}; allowed: true, false")
    step = 1000 if environ.get("COSMOS_AUTOSCALE") in _TRUE else 100
    for variable, of in (("COSMOS_MAX_RU", step), ("COSMOS_LEDGER_MAX_RU", 1000)):
        if sizes[variable] % of and (environ.get(variable) or "0") != "0":
            beside = " with COSMOS_AUTOSCALE" if variable == "COSMOS_MAX_RU" and of == 1000 else ""
            found.append(f"{variable} is {sizes[variable]}; allowed{beside}: a multiple of {of}")
    if sizes["COSMOS_MAX_RU"] < _LEAST_RU:
        found.append(f"COSMOS_MAX_RU is {sizes['COSMOS_MAX_RU']}; allowed: at least {_LEAST_RU}")
    if environ.get("ALERT_WEBHOOKS") and not environ.get("ALERT_WEBHOOK_SECRET"):
        # The app would not start, and nobody would see why before its logs are there.
        found.append("ALERT_WEBHOOKS is set, and needs ALERT_WEBHOOK_SECRET, which is not")
    return found + _scheduler(environ, name, sizes)


def _scheduler(environ: Mapping[str, str], profile: str, sizes: Mapping[str, int]) -> list[str]:
    if (environ.get("DURABLE_BACKEND") or "storage") != "scheduler":
        return []
    sku = environ.get("SCHEDULER_SKU") or "Consumption"
    if sku not in _ACTIONS:
        return [f"SCHEDULER_SKU is {sku!r}; allowed: {', '.join(_ACTIONS)}"]
    units = sizes["SCHEDULER_CAPACITY"] if sku == "Dedicated" else 1
    usable, needed = _USABLE * _ACTIONS[sku] * units, _ACTIONS_OF_A_DRONE * int(profile)
    if usable >= needed:
        return []
    return [
        f"FLEET_PROFILE {profile} asks for about {needed:.0f} actions a second; SCHEDULER_SKU {sku} with "
        f"SCHEDULER_CAPACITY {units} is good for {usable:.0f}"
    ]


def main() -> int:
    if sys.argv[1:]:
        print(f"{__doc__}\nBy hand: azd env get-values > .values; set -a; . ./.values; python {sys.argv[0]}")
        return 0
    found = contradictions(os.environ)
    for line in found:
        print(f"sizes: {line}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
