"""The monitor's look: at the drones of which batches have noted something, and at those that have an alert.

Everything that a look decides rests on the store and on the drones' states, so a look that is cut short or runs twice
changes nothing: an episode begins once (``AlertStore.begin``), and goes from pending to active to cleared by changes
that are conditional. What the process remembers here only spares reads.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import cast

from observability import log
from pipeline.alerts import instances
from pipeline.alerts.keeping import start_episode, tell_episode
from pipeline.alerts.steps import busy_seconds
from pipeline.clock import now as clock_now
from pipeline.durable import DroneReader, DurableClient
from pipeline.many import for_each
from pipeline.ports import AlertNote, MessageStore, Store
from settings import Alerts
from telemetry import times
from telemetry.conditions import TELEMETRY_DELAYED, Condition, is_fresh, judge, position_of, spoken_of
from telemetry.episodes import (
    ACKNOWLEDGED_NOTICE,
    ACTIVE,
    CLEARED,
    CLEARED_NOTICE,
    PENDING,
    Episode,
    absent,
    activated,
    begun,
    cause_of,
    cleared,
    due,
    episode_id,
)
from telemetry.merge import current, merge
from telemetry.model import DroneState
from telemetry.rules import Rules
from telemetry.soundness import check_state
from telemetry.vocabulary import ALERT_CODES, AlertCode

NOTES = 500
AT_ONCE = 16
IDLE_SECONDS = 60.0
"""The longest pause there is: only a note wakes the monitor earlier."""
RECHECK_SECONDS = 30.0
"""Every drone with an alert is looked at so often, whether or not a batch has noted anything."""
RECHECKED = 20
"""Of them at most so many in one look."""
DELAYED_SECONDS = 5.0
"""As ``RECHECK_SECONDS``: a delay ends by silence too, of which no batch tells."""
PATROL_SECONDS = 30.0
PATROL_PAGE = 1000
"""So often one page of the fleet is gone through, for what no batch can know by itself (a clock that fell back) and
for what was never noted."""
WAIT_SECONDS = 1.0
"""So short a pause is waited out in the look: the engine's timers may fire up to a second early, or late."""
LOST_SECONDS = 3600.0
"""A note that the drone's state does not show after so long is given up: its batch has failed."""
SLOW_SECONDS = 30.0
NUDGE_SECONDS = 5.0
"""What should have been told for so long is brought to mind."""
SEARCHED = 50


@dataclass
class Monitor:
    """One a process. ``now`` gives canonical time text, ``sleep`` waits for seconds; a pause of up to ``wait`` seconds
    is waited out."""

    now: Callable[[], str] = clock_now
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    monotonic: Callable[[], float] = time.monotonic
    wait: float = WAIT_SECONDS
    _looked_at: dict[str, float] = field(default_factory=dict)
    _nudged_at: dict[str, float] = field(default_factory=dict)
    _patrolled_at: float = float("-inf")
    _patrol_token: str | None = None

    async def look(
        self, store: Store, client: DurableClient, drones: DroneReader, alerts: Alerts, rules: Rules, pause: float
    ) -> float:
        """Look until nothing is due within a second. ``pause`` is the one that has just ended; gives the next one."""
        until = self.monotonic() + 3 * self.wait
        while True:
            following = await _Look(self, store, client, drones, alerts, rules).run(pause)
            if following > self.wait or self.monotonic() >= until:
                return following
            await self.sleep(max(following, 0.02))
            pause = following

    def due_for_recheck(self, episodes: Iterable[Episode]) -> list[str]:
        """Drones with an active alert at which nobody has looked for long, the longest first."""
        at = self.monotonic()
        waited: dict[str, float] = {}
        for episode in episodes:
            seconds = at - self._looked_at.get(episode["deviceId"], float("-inf"))
            every = DELAYED_SECONDS if episode["code"] == TELEMETRY_DELAYED else RECHECK_SECONDS
            if seconds >= every:
                waited[episode["deviceId"]] = seconds
        return sorted(waited, key=lambda device: -waited[device])[:RECHECKED]

    def looked_at(self, devices: Iterable[str], wanted: set[str]) -> None:
        at = self.monotonic()
        self._looked_at = {device: seen for device, seen in self._looked_at.items() if device in wanted}
        self._looked_at |= {device: at for device in devices if device in wanted}

    def may_nudge(self, alert_id: str) -> bool:
        at = self.monotonic()
        if at - self._nudged_at.get(alert_id, float("-inf")) < 2 * NUDGE_SECONDS:
            return False
        if len(self._nudged_at) > 10_000:
            self._nudged_at.clear()
        self._nudged_at[alert_id] = at
        return True

    async def patrol(self, drones: DroneReader, changed_since: str) -> list[DroneState]:
        """The next page of the fleet, when it is time for it: states of drones that were told something since then."""
        if self.monotonic() - self._patrolled_at < PATROL_SECONDS:
            return []
        self._patrolled_at = self.monotonic()
        try:
            page = await drones.page(PATROL_PAGE, self._patrol_token, operated_from=changed_since)
        except ValueError:  # a token of an engine that has been replaced
            self._patrol_token = None
            return []
        self._patrol_token = page.token
        return [cast(DroneState, state) for _, state in page.items if isinstance(state, dict)]


@dataclass
class _Look:
    monitor: Monitor
    store: Store
    client: DurableClient
    drones: DroneReader
    alerts: Alerts
    rules: Rules

    async def run(self, pause: float) -> float:
        notes, unsettled = await asyncio.gather(self.store.alerts.notes(NOTES), self.store.alerts.unsettled())
        open_ = [one for one in unsettled if one["status"] in (PENDING, ACTIVE)]
        by_drone: dict[str, dict[AlertCode, Episode]] = {}
        for episode in open_:
            by_drone.setdefault(episode["deviceId"], {})[episode["code"]] = episode
        noted: dict[str, list[AlertNote]] = {}
        for note in notes:
            noted.setdefault(note.device_id, []).append(note)
        wanted = set(noted)
        wanted |= {one["deviceId"] for one in open_ if one["status"] == PENDING or one["absentSince"] is not None}
        wanted |= set(self.monitor.due_for_recheck(one for one in open_ if one["status"] == ACTIVE))
        wanted |= await self._found_on_patrol(by_drone)

        async def one(device_id: str) -> list[AlertNote]:
            return await self._drone(device_id, by_drone.get(device_id, {}), noted.get(device_id, []))

        uncovered = [note for some in await for_each(sorted(wanted), AT_ONCE, one) for note in some]
        self.monitor.looked_at(wanted, set(by_drone))
        await self._nudge(unsettled)
        after = await self.store.alerts.unsettled() if wanted else unsettled
        return self._pause(pause, bool(notes), len(notes) == NOTES, uncovered, after)

    async def _found_on_patrol(self, known: dict[str, dict[AlertCode, Episode]]) -> set[str]:
        now = self.monitor.now()
        oldest = times.add_seconds(now, -self.alerts.max_age_seconds - PATROL_SECONDS)
        found = set()
        for state in await self.monitor.patrol(self.drones, oldest):
            try:
                holds = {one.code for one in judge(state, now, self.rules) if self._is_fresh(one, now)}
            except Exception as error:
                log(logging.ERROR, "not looked at for alerts: its state is none", error=repr(error))
                continue
            if holds - known.get(state["id"], {}).keys():
                found.add(state["id"])
        return found

    async def _drone(self, device_id: str, known: dict[AlertCode, Episode], notes: list[AlertNote]) -> list[AlertNote]:
        """Raise, go on with and clear what is to be. The notes that its state does not show yet."""
        kept = await self._state(device_id)
        state, uncovered = kept, []
        for note in notes:
            merged = merge(state, note.patch)
            if kept is None or merge(kept, note.patch) != kept:
                uncovered.append(note)
            state = merged
        now = self.monitor.now()
        holds = {} if state is None else {one.code: one for one in judge(state, now, self.rules)}
        for code in ALERT_CODES:
            episode, condition = known.get(code), holds.get(code)
            if episode is None:
                if condition is not None and state is not None and self._is_fresh(condition, now):
                    await self._begin(state, condition, self._since(notes, code, True, now), now)
            elif episode["status"] == PENDING:
                await self._pending(episode, condition, state, now)
            else:
                await self._active(episode, condition is not None, self._since(notes, code, False, now), now)
        lost = [note for note in uncovered if times.seconds_between(note.at, now) > LOST_SECONDS]
        for note in lost:
            log(logging.WARNING, "a batch's note of an alert is given up", deviceId=device_id, key=note.key)
        await self.store.alerts.forget([note for note in notes if note not in uncovered or note in lost])
        return [note for note in uncovered if note not in lost]

    async def _state(self, device_id: str) -> DroneState | None:
        state = await self.drones.state(device_id)
        if state is None:
            return None
        try:
            check_state(cast(DroneState, state))
            return current(cast(DroneState, state))
        except Exception as error:
            log(logging.ERROR, "not looked at for alerts: its state is none", deviceId=device_id, error=repr(error))
            return None

    def _is_fresh(self, condition: Condition, now: str) -> bool:
        return is_fresh(condition, now, self.alerts.max_age_seconds)

    def _since(self, notes: list[AlertNote], code: AlertCode, holds: bool, now: str) -> str:
        """When the merge had it: at the first of the last notes that say so one after the other."""
        began: str | None = None
        for note in sorted(notes, key=lambda one: one.at):
            verdict = spoken_of(note.patch, self.rules).get(code)
            if verdict is not None:
                began = (began or note.at) if verdict is holds else None
        return began or now

    async def _begin(self, state: DroneState, condition: Condition, seen_at: str, now: str) -> None:
        raised_at = await _began(self.store.messages, state["id"], condition)
        again = await self._cleared_before(state["id"], condition.code, raised_at)
        episode = begun(state["id"], condition.code, raised_at, seen_at, condition.value, position_of(state), again)
        if await self.store.alerts.begin(episode):
            await self._pending(episode, condition, state, now)

    async def _cleared_before(self, device_id: str, code: AlertCode, raised_at: str) -> int:
        """How many episodes that began at this very time have been cleared: the next one's number. Their numbers follow
        on each other, so that a few reads find the last."""

        async def is_cleared(number: int) -> bool:
            known = await self.store.alerts.get(episode_id(device_id, code, raised_at, number))
            return known is not None and known["status"] == CLEARED

        low, high = 0, 0
        while await is_cleared(high):
            low, high = high + 1, 2 * high + 1
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if await is_cleared(middle) else (low, middle)
        return low

    async def _pending(self, episode: Episode, condition: Condition | None, state: DroneState | None, now: str) -> None:
        if condition is None or state is None:
            await self.store.alerts.drop(episode["id"])
        elif condition.code != TELEMETRY_DELAYED and condition.since > episode["raisedAt"]:
            # It was gone in between: what holds now began later.
            await self.store.alerts.drop(episode["id"])
            await self._begin(state, condition, now, now)
        elif times.seconds_between(episode["seenAt"], now) >= self.alerts.raise_seconds:
            raised = await self.store.alerts.change(episode["id"], lambda one: activated(one, now))
            if raised is not None and raised["status"] == ACTIVE:
                log(logging.INFO, "alert raised", alertId=episode["id"], deviceId=episode["deviceId"])
                await self._start(episode["id"])

    async def _active(self, episode: Episode, holds: bool, since: str, now: str) -> None:
        if holds:
            if episode["absentSince"] is not None:
                await self.store.alerts.change(episode["id"], lambda one: absent(one, None))
            return
        since = max(since, episode["activeAt"] or since)
        gone = await self.store.alerts.change(episode["id"], lambda one: absent(one, since))
        if gone is None or gone["absentSince"] is None:
            return
        if times.seconds_between(gone["absentSince"], now) >= self.alerts.clear_seconds:
            done = await self.store.alerts.change(episode["id"], lambda one: cleared(one, now))
            if done is not None:
                log(logging.INFO, "alert cleared", alertId=episode["id"], deviceId=episode["deviceId"])
                await self._told(episode["id"], instances.CLEARED)

    async def _start(self, alert_id: str) -> None:
        try:
            await start_episode(self.client, alert_id)
        except Exception as error:  # it is brought to mind later
            log(logging.WARNING, "an alert's episode was not started", alertId=alert_id, error=str(error))

    async def _told(self, alert_id: str, event: str) -> None:
        try:
            await tell_episode(self.client, alert_id, event)
        except Exception as error:
            log(logging.WARNING, "an alert's episode was not told", alertId=alert_id, event=event, error=str(error))

    async def _nudge(self, episodes: list[Episode]) -> None:
        """Whose episode should have told something by now and has not is told again, or started."""
        now = self.monitor.now()
        for episode in episodes:
            waiting = [
                kind
                for kind in due(episode)
                if times.seconds_between(cause_of(episode, kind) or now, now) > NUDGE_SECONDS
            ]
            if waiting and self.monitor.may_nudge(episode["id"]):
                if waiting == [CLEARED_NOTICE]:
                    await self._told(episode["id"], instances.CLEARED)
                elif waiting == [ACKNOWLEDGED_NOTICE]:
                    await self._told(episode["id"], instances.ACKNOWLEDGED)
                else:
                    await self._start(episode["id"])

    def _pause(self, pause: float, busy: bool, more: bool, uncovered: list[AlertNote], open_: list[Episode]) -> float:
        now = self.monitor.now()
        if more:
            return 0.0
        waits = [IDLE_SECONDS]
        for episode in open_:
            if episode["status"] == PENDING:
                waits.append(self.alerts.raise_seconds - times.seconds_between(episode["seenAt"], now))
            elif episode["absentSince"] is not None and episode["clearedAt"] is None:
                waits.append(self.alerts.clear_seconds - times.seconds_between(episode["absentSince"], now))
            elif episode["status"] == ACTIVE:
                waits.append(DELAYED_SECONDS if episode["code"] == TELEMETRY_DELAYED else RECHECK_SECONDS)
            if due(episode):
                waits.append(NUDGE_SECONDS)
        if uncovered:
            old = times.seconds_between(min(note.at for note in uncovered), now) > SLOW_SECONDS
            waits.append(SLOW_SECONDS / 2 if old else busy_seconds(self.alerts))
        waits.append(busy_seconds(self.alerts) if busy else max(2 * pause, busy_seconds(self.alerts)))
        return max(min(waits), 0.0)


async def _began(messages: MessageStore, device_id: str, condition: Condition) -> str:
    """The message time at which it began: that of the first message that says so since it did not hold the last
    time."""
    if condition.code != TELEMETRY_DELAYED:
        page = await messages.history(
            device_id, condition.since, None, ascending=True, limit=SEARCHED, continuation=None
        )
        for message in page.items:
            if any(alert["code"] == condition.code for alert in message.get("alerts", ())):
                return message["time"]
    return condition.since
