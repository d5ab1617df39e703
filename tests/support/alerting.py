"""Alerts on a clock of their own: batches note, the monitor looks, episodes tell, and a receiver keeps what it got.

The orchestrators' part is played by ``Durable.drain``: what is started runs until it waits, and an event has it run
again; so what is tried here is everything but the engine.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

import pytest

from activities.alerts import send_notice
from pipeline.alerts import keeping, noting, telling
from pipeline.alerts.instances import DELIVERY, EPISODE, MONITOR
from pipeline.alerts.monitor import Monitor
from pipeline.alerts.noting import Noter
from pipeline.alerts.steps import NoticeReference, Sent, Told
from pipeline.durable import Instance, InstanceStatus, Walk
from pipeline.ports import AlertFilter, Store
from settings import Alerts, Webhook
from telemetry import times
from telemetry.enrichment import enrich
from telemetry.episodes import Episode
from telemetry.merge import merge, merge_messages
from telemetry.model import DroneState, Message
from telemetry.rules import Rules
from webhooks.receivers import Receivers

START = "2026-03-01T12:00:00.000000Z"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ALERTS = Alerts(
    raise_seconds=2,
    clear_seconds=10,
    max_age_seconds=120,
    escalate_seconds=300,
    retry_seconds=3600,
    webhooks=(Webhook("one", "https://one.example/"),),
    webhook_secret=SECRET,
)


@dataclass
class Page:
    items: list[tuple[str, Any]]
    token: str | None = None


@dataclass
class Drones:
    """The drones' entities. ``late``: what has been signalled and not merged yet."""

    states: dict[str, DroneState] = field(default_factory=dict)
    late: list[DroneState] = field(default_factory=list)
    reads: Counter[str] = field(default_factory=Counter)
    pages: int = 0

    async def state(self, key: str) -> Any:
        self.reads[key] += 1
        return self.states.get(key)

    async def page(self, top: int, token: str | None, *, operated_from: str | None = None) -> Page:
        self.pages += 1
        return Page([(k, s) for k, s in self.states.items() if operated_from is None or s["lastSeen"] >= operated_from])

    def merge(self) -> None:
        for patch in self.late:
            self.states[patch["id"]] = merge(self.states.get(patch["id"]), patch)
        self.late.clear()


@dataclass
class Durable:
    """Instances by id. ``fails`` has so many calls fail; ``lost`` so many starts and events reach nobody."""

    statuses: dict[str, InstanceStatus] = field(default_factory=dict)
    started: list[tuple[str, str, Any]] = field(default_factory=list)
    events: list[tuple[str, str]] = field(default_factory=list)
    ready: list[tuple[str, str, Any]] = field(default_factory=list)
    inputs: dict[str, tuple[str, Any]] = field(default_factory=dict)
    terminated: list[str] = field(default_factory=list)
    moved: datetime = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
    fails: int = 0
    lost: int = 0

    def _call(self) -> bool:
        if self.fails > 0:
            self.fails -= 1
            raise ConnectionError("the engine is away")
        if self.lost > 0:
            self.lost -= 1
            return False
        return True

    async def start(self, orchestrator: str, instance_id: str, argument: Any) -> None:
        if not self._call() or self.statuses.get(instance_id) is InstanceStatus.RUNNING:
            return
        assert len(instance_id) <= 100
        argument = json.loads(json.dumps(argument))
        self.statuses[instance_id] = InstanceStatus.RUNNING
        self.inputs[instance_id] = (orchestrator, argument)
        self.started.append((orchestrator, instance_id, argument))
        self.ready.append((orchestrator, instance_id, argument))

    async def raise_event(self, instance_id: str, name: str) -> None:
        if self.statuses.get(instance_id) is not InstanceStatus.RUNNING:
            raise Exception("gone")
        if not self._call():
            return
        self.events.append((instance_id, name))
        self.ready.append((self.inputs[instance_id][0], instance_id, self.inputs[instance_id][1]))

    async def instance(self, instance_id: str) -> Instance | None:
        status = self.statuses.get(instance_id)
        return None if status is None else Instance(instance_id, status, self.moved)

    async def instance_ids(
        self, prefix: str, created_before: datetime, statuses: Collection[InstanceStatus], walk: Walk
    ) -> list[str]:
        walk.over = True
        return [key for key, status in self.statuses.items() if key.startswith(prefix) and status in statuses]

    async def signal(self, entity: str, key: str, operation: str, argument: Any) -> None: ...

    async def terminate(self, instance_id: str, reason: str) -> None:
        self.terminated.append(instance_id)
        self.statuses[instance_id] = InstanceStatus.TERMINATED

    async def purge(self, instance_id: str) -> int:
        return int(self.statuses.pop(instance_id, None) is not None)

    def status_uri(self, instance_id: str) -> str:
        return f"http://localhost/instances/{instance_id}"


class World:
    """``second`` is the time since ``START``."""

    def __init__(self, store: Store, monkeypatch: pytest.MonkeyPatch, alerts: Alerts = ALERTS) -> None:
        self.store, self.alerts, self.rules = store, alerts, Rules()
        self.second = 0.0
        self.client, self.drones = Durable(), Drones()
        self.noter = Noter(lambda: self.second)
        self.monitor = self.new_monitor()
        self.receivers = Receivers(self._post, lambda: self.second)
        self.answers: list[int] = []
        """Statuses of the receivers' next answers; 200 when there are none left."""
        self.got: list[tuple[str, dict[str, Any]]] = []
        """(webhook-id, event) of every request, whatever it was answered."""
        self._number = 0
        for module in (noting, telling, keeping):
            for name, stand_in in (("now", self.now), ("ago", self.ago)):
                if hasattr(module, name):
                    monkeypatch.setattr(module, name, stand_in)
        monkeypatch.setattr("activities.alerts.now", self.now)

    def new_monitor(self) -> Monitor:
        """As after the process has died."""
        return Monitor(self.now, self._sleep, lambda: self.second, wait=0)

    def now(self) -> str:
        return times.add_seconds(START, self.second)

    def ago(self, seconds: float) -> str:
        return times.add_seconds(START, self.second - seconds)

    async def _sleep(self, seconds: float) -> None:
        self.second += seconds

    async def _post(self, url: str, body: bytes, headers: dict[str, str]) -> int:
        self.got.append((headers["webhook-id"], json.loads(body)))
        return self.answers.pop(0) if self.answers else 200

    def message(self, device: str = "d", *, second: float | None = None, **fields: Any) -> Message:
        """What the drone says of ``second`` (now), as it is enriched; the hub has it now."""
        self._number += 1
        made: Any = {
            "id": f"m{self._number:06d}",
            "deviceId": device,
            "time": times.add_seconds(START, self.second if second is None else second),
            "timeSource": "device",
            "keyFrame": False,
            "flags": [],
            "enqueuedAt": self.now(),
            "partition": "0",
            "sequenceNumber": self._number,
            "index": 0,
            "batchId": "b",
            **fields,
        }
        enrich([made], None, None, self.rules)
        message: Message = made
        return message

    async def deliver(self, *messages: Message, signalled: bool = True) -> None:
        """One batch. ``signalled`` False: its signals are still on their way (``drones.late``)."""
        self._number += 1
        await self.store.messages.put(messages, f"batch-{self._number}")
        states = merge_messages(list(messages))
        key = f"batch-{self._number}"
        await self.noter.note(self.store, self.client, states.values(), key, self.rules, self.alerts)
        self.drones.late += states.values()
        if signalled:
            self.drones.merge()

    async def say(self, device: str = "d", **fields: Any) -> None:
        await self.deliver(self.message(device, **fields))

    async def look(self, pause: float = 0.0) -> float:
        return await self.monitor.look(self.store, self.client, self.drones, self.alerts, self.rules, pause)

    async def drain(self) -> None:
        """Run what has been started, as far as it goes by itself."""
        while self.client.ready:
            await self._run(*self.client.ready[0])  # where an activity fails it is run again
            self.client.ready.pop(0)

    async def _run(self, orchestrator: str, instance: str, argument: Any) -> None:
        if orchestrator == EPISODE:
            told = await self.tell(argument["alertId"])
            if not told["open"]:
                self.client.statuses[instance] = InstanceStatus.COMPLETED
        elif orchestrator == DELIVERY:
            await self._deliver(instance, argument)
        else:
            assert orchestrator == MONITOR

    async def tell(self, alert_id: str) -> Told:
        return await telling.tell(self.store, self.client, alert_id, self.alerts, self.send)

    async def escalate(self, alert_id: str) -> Told:
        return await telling.escalate(self.store, self.client, alert_id, self.alerts, self.send)

    async def send(self, notice: NoticeReference) -> Sent:
        return await send_notice(self.store, self.client, notice, self.alerts, self.receivers)

    async def _deliver(self, instance: str, argument: Any) -> None:
        sent = await self.send(argument)
        if sent["done"]:
            self.client.statuses[instance] = InstanceStatus.COMPLETED
        else:
            later = {**argument, "tries": sent["tries"]}
            self.client.inputs[instance] = (DELIVERY, later)

    async def resend(self) -> None:
        """Deliveries that wait for their next try make it."""
        self.client.ready += [
            (orchestrator, instance, argument)
            for instance, (orchestrator, argument) in self.client.inputs.items()
            if orchestrator == DELIVERY and self.client.statuses.get(instance) is InstanceStatus.RUNNING
        ]
        await self.drain()

    async def pass_time(self, seconds: float) -> None:
        """The monitor looks whenever its pause is over, and what it starts runs."""
        until = self.second + seconds
        pause = await self.look()
        await self.drain()
        while self.second + pause < until:
            self.second += pause
            pause = await self.look(pause)
            await self.drain()
        self.second = until

    async def alerts_of(self, device: str = "d") -> list[Episode]:
        """Oldest first."""
        found = (await self.store.alerts.list(AlertFilter(device_id=device), 100, None)).items
        return found[::-1]

    def types(self) -> list[str]:
        return [event["type"].removeprefix("drone.alert.") for _, event in self.got]
