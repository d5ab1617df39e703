"""What of a drone's news cannot wait until its state is brought up to date the next time: that it was never seen, that
a condition begins or ends, that its flight mode changes. All else may be shown a little later.
"""

from __future__ import annotations

from typing import Any

from telemetry.conditions import SENSORS, spoken_of
from telemetry.merge import current, merge
from telemetry.model import DroneState
from telemetry.rules import Rules

_WATCHED = frozenset({"flightMode", "battery", *SENSORS, "derived", "altitudeLimitExceeded"})
Signs = tuple[Any, frozenset[str]]
"""The flight mode as sent, and the codes of the conditions that hold."""


def essence(state: DroneState) -> DroneState:
    """Of a state only what its signs follow from: merged with the essence of another it is that of both merged."""
    known = current(state)
    layers = [
        [*layer[:5], {name: value for name, value in layer[5].items() if name in _WATCHED}] for layer in known["layers"]
    ]
    return {**known, "layers": [layer for layer in layers if layer[5]], "clear": {}, "held": {}}


def signs(state: DroneState, rules: Rules) -> Signs:
    mode = next((layer[5]["flightMode"] for layer in state["layers"] if "flightMode" in layer[5]), None)
    return mode, frozenset(code for code, holds in spoken_of(state, rules).items() if holds)


def with_news(known: DroneState | None, state: DroneState, rules: Rules) -> tuple[bool, DroneState]:
    """Whether ``state`` has news that cannot wait for whoever knows the essence ``known`` (None: nothing), and what he
    knows with it."""
    news = essence(state)
    if known is None:
        return True, news
    merged = merge(known, news)
    return signs(merged, rules) != signs(known, rules), merged
