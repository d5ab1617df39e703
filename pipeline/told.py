"""What this process knows that the drones have been told, as far as it decides what cannot wait.

A drone that this process has not met yet is asked for once. What other processes tell it meanwhile is not seen here:
that can make a signal one too many, or leave a change to the window's end, and never loses one.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from weakref import WeakKeyDictionary

import orjson

from pipeline.many import for_each
from pipeline.ports import Store
from telemetry.model import DroneState
from telemetry.rules import Rules
from telemetry.soundness import check_state
from telemetry.urgency import essence, with_news

READS_AT_ONCE = 32
MOST = 100_000
"""Drones of which something is remembered, in some hundred bytes each: those not heard of for longest are forgotten."""

Read = Callable[[str], Awaitable[Any]]
"""The stored state of a drone by its id, None without one."""


class Told:
    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._known: OrderedDict[str, bytes] = OrderedDict()

    async def urgent(
        self, states: Mapping[str, DroneState], read: Read, rules: Rules
    ) -> tuple[list[DroneState], dict[str, DroneState]]:
        """The states of which their drones must hear at once, and what to ``remember`` when they have."""
        unknown = [key for key in states if key not in self._known]
        found = dict(zip(unknown, await for_each(unknown, READS_AT_ONCE, read), strict=True))
        at_once: list[DroneState] = []
        learned: dict[str, DroneState] = {}
        for key, state in states.items():
            known = _sound(found[key]) if key in found else orjson.loads(self._known[key])
            cannot_wait, learned[key] = with_news(known, state, rules)
            if cannot_wait:
                at_once.append(state)
        return at_once, learned

    def remember(self, learned: Mapping[str, DroneState]) -> None:
        for key, known in learned.items():
            self._known.pop(key, None)
            self._known[key] = orjson.dumps(known)
        while len(self._known) > self._most:
            self._known.popitem(last=False)


def _sound(state: Any) -> DroneState | None:
    """What is no state gives way to the first one that is, at once."""
    try:
        check_state(state)
    except Exception:
        return None
    return essence(state)


_of_store: WeakKeyDictionary[Store, Told] = WeakKeyDictionary()


def told_of(store: Store) -> Told:
    """The one memory of this process for ``store``."""
    told = _of_store.get(store)
    if told is None:
        told = _of_store[store] = Told()
    return told
