"""Batches say of which drones a condition begins or ends, so that nobody has to look at the others.

What a batch knows of a drone is judged by itself. A note is written where it says that a condition holds that is no
alert yet, or that one does not hold that is; most batches have none to write. The notes carry what the batch knows: the
monitor merges it with the drone's state, so it need not wait for the signal, and repetition and order never show.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from weakref import WeakKeyDictionary

from pipeline.alerts.keeping import wake_monitor
from pipeline.alerts.steps import busy_seconds
from pipeline.clock import now
from pipeline.durable import DurableClient
from pipeline.ports import AlertNote, Store
from settings import Alerts, get_settings
from telemetry.conditions import TELEMETRY_DELAYED, is_fresh, judge, spoken_of
from telemetry.model import DroneState
from telemetry.rules import Rules
from telemetry.vocabulary import AlertCode

FRESH_SECONDS = 1.0
"""For how long a process takes what it knows of the open alerts for true."""
REPEAT_SECONDS = {TELEMETRY_DELAYED: 10.0}
DEFAULT_REPEAT_SECONDS = 2.0
"""A verdict that was noted is not noted again for so long: the monitor looks at the drone meanwhile."""
_MOST_REMEMBERED = 50_000

Key = tuple[str, AlertCode]


class Noter:
    """What one process has noted, for one store."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._open: frozenset[Key] = frozenset()
        self._read_at = float("-inf")
        self._noted: dict[Key, tuple[bool, float]] = {}
        self._met: set[str] = set()  # devices of both
        self._woken_at = float("-inf")

    async def note(
        self,
        store: Store,
        client: DurableClient,
        states: Iterable[DroneState],
        key: str,
        rules: Rules,
        alerts: Alerts,
    ) -> int:
        """Look at what ``key`` (a batch, a dead letter) knows of each drone. How many notes it took."""
        if self._clock() - self._read_at >= FRESH_SECONDS:
            self._open = frozenset(
                (one["deviceId"], one["code"]) for one in await store.alerts.unsettled() if not one["clearedAt"]
            )
            self._read_at = self._clock()
            self._met = {device_id for keys in (self._open, self._noted) for device_id, _ in keys}
        at = now()
        notes = [
            AlertNote(state["id"], _key(key, state), at, state)
            for state in states
            if self._is_worth_it(state, at, rules, alerts)
        ]
        if notes:
            await store.alerts.note(notes)
            if self._clock() - self._woken_at >= busy_seconds(alerts):
                # It looks again soon by itself: it need not hear of every note.
                self._woken_at = self._clock()
                await wake_monitor(client)
        return len(notes)

    def _is_worth_it(self, state: DroneState, at: str, rules: Rules, alerts: Alerts) -> bool:
        device_id = state["id"]
        verdicts = spoken_of(state, rules)
        if device_id not in self._met and True not in verdicts.values():
            return False  # nothing holds, and nothing was known to: nearly every drone
        differs = [(code, holds) for code, holds in verdicts.items() if self._differs((device_id, code), holds)]
        begins = {code for code, holds in differs if holds}
        if begins:
            # Of old telemetry nothing comes.
            fresh = {one.code for one in judge(state, at, rules) if is_fresh(one, at, alerts.max_age_seconds)}
            differs = [(code, holds) for code, holds in differs if not holds or code in fresh]
        for code, holds in differs:
            self._remember((device_id, code), holds)
        return bool(differs)

    def _differs(self, key: Key, holds: bool) -> bool:
        noted = self._noted.get(key)
        if noted is not None and noted[0] != holds:
            return True  # what was noted last, and may not have been looked at yet, is not true any more
        if holds == (key in self._open):
            return False
        repeat = REPEAT_SECONDS.get(key[1], DEFAULT_REPEAT_SECONDS)
        return noted is None or self._clock() - noted[1] >= repeat

    def _remember(self, key: Key, holds: bool) -> None:
        if len(self._noted) >= _MOST_REMEMBERED:
            self._noted.clear()
        self._noted[key] = (holds, self._clock())
        self._met.add(key[0])


def _key(of: str, state: DroneState) -> str:
    """A batch of several pages knows a drone in several parts: its newest message tells them apart."""
    return f"{of}~{state['last'][2]}~{state['last'][3]}"


_noters: WeakKeyDictionary[Store, Noter] = WeakKeyDictionary()


async def note_changes(store: Store, client: DurableClient, states: Iterable[DroneState], key: str) -> None:
    """What ``key`` (a batch, a dead letter) knows of each drone, by this process's settings."""
    settings = get_settings()
    await noter_of(store).note(store, client, states, key, settings.rules, settings.alerts)


def noter_of(store: Store) -> Noter:
    """The one noter of this process for ``store``."""
    noter = _noters.get(store)
    if noter is None:
        noter = _noters[store] = Noter()
    return noter
