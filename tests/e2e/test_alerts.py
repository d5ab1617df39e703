"""Alerts on the local host, told to a receiver that counts: raised, taken up, cleared, whatever is killed."""

from __future__ import annotations

import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support.senders import send
from tests.support.webhook_receiver import Receiver, message, settings_for
from tools.local_host import LocalHost, wait_until

pytestmark = pytest.mark.e2e
LOW, FULL = 0.1, 0.9


def told(receiver: Receiver, kinds: Counter[str], seconds: float = 40) -> None:
    """Waits until it has been told so many of each."""

    def all_there() -> bool:
        got = Counter(kind for (_, kind), number in receiver.kinds().items() for _ in range(number))
        return all(got[kind] >= number for kind, number in kinds.items())

    wait_until(all_there, seconds, lambda: f"{receiver.kinds()} of {kinds}, refused {receiver.refused}")


def instances(host: LocalHost, prefix: str) -> dict[str, str]:
    found = host.request("GET", f"/runtime/webhooks/durabletask/instances?instanceIdPrefix={prefix}&top=1000").json()
    return {one["instanceId"]: one["runtimeStatus"] for one in found}


def test_the_life_of_an_alert(tmp_path: Path) -> None:
    with (
        Receiver() as receiver,
        LocalHost(tmp_path / "data", settings=settings_for(receiver, clear=2, escalate=3)) as host,
    ):
        send(host.connection, [message("d", battery=LOW), message("d", flightMode="ready")])
        told(receiver, Counter(raised=1))
        [alert] = host.items("/api/alerts?status=active")
        assert (alert["code"], alert["value"], alert["undelivered"]) == ("low_battery", LOW, [])
        told(receiver, Counter(escalated=1))
        answer = host.request("POST", f"/api/alerts/{alert['id']}/acknowledge", {"note": "on my way"})
        assert (answer.status, answer.json()["note"]) == (200, "on my way")
        told(receiver, Counter(acknowledged=1))
        send(host.connection, [message("d", battery=FULL)])
        told(receiver, Counter(cleared=1))
        after = host.get(f"/api/alerts/{alert['id']}")
        assert (after["status"], after["raisedAt"]) == ("cleared", alert["raisedAt"])
        assert host.request("POST", f"/api/alerts/{alert['id']}/notify", {}).status == 200
        wait_until(
            lambda: set(instances(host, "~alert~").values()) == {"Completed"}, 10, lambda: str(instances(host, "~"))
        )
        history = host.get(f"/runtime/webhooks/durabletask/instances/{alert['instanceId']}?showHistory=true")
        names = [event.get("Name") for event in history["historyEvents"] if event["EventType"] == "EventRaised"]
        assert names == ["acknowledged", "cleared"]
        assert "TimerFired" in {event["EventType"] for event in history["historyEvents"]}
        assert receiver.refused == []
        assert max(receiver.kinds().values()) == 1
        assert "waits indefinitely" not in host.log.read_text()


def test_a_receiver_that_hangs_and_one_that_fails_delay_nobody(tmp_path: Path) -> None:
    with Receiver(hangs=True) as hanging, Receiver(status=500) as failing, Receiver() as well:
        settings = settings_for(hanging, failing, well, retry=6)
        with LocalHost(tmp_path / "data", settings=settings) as host:
            drones = [f"d{n}" for n in range(4)]
            send(host.connection, [message(drone, battery=LOW) for drone in drones])
            told(well, Counter(raised=4))
            late = time.time()
            send(host.connection, [message("late", battery=LOW)])
            told(well, Counter(raised=5))
            assert time.time() - late < 15
            # The pipeline itself is not held up either.
            host.settled(messages=5, seconds=20)
            alert = host.items("/api/alerts?deviceId=late")[0]

            def given_up() -> Any:
                return host.get(f"/api/alerts/{alert['id']}")["undelivered"] == ["drone.alert.raised"]

            # The one that hangs is asked by one notice at a time, each until its request's time is up.
            wait_until(given_up, 90, lambda: host.log.read_text()[-3000:])
            before = len(failing.of("late", "raised"))
            failing.status = 204
            assert host.request("POST", f"/api/alerts/{alert['id']}/notify", {}).status == 202
            wait_until(lambda: len(failing.of("late", "raised")) > before, 60, lambda: host.log.read_text()[-3000:])
            assert len({one.webhook_id for one in failing.of("late", "raised")}) == 1


def test_killed_at_any_moment_each_episode_is_told_once(tmp_path: Path) -> None:
    """Drones' batteries fall and are changed while the host is killed again and again."""
    chance = random.Random(16)
    drones = [f"d{n}" for n in range(15)]
    with Receiver() as receiver, LocalHost(tmp_path / "data", settings=settings_for(receiver, clear=2)) as host:
        for value in (LOW, FULL, LOW):
            send(host.connection, [message(drone, battery=value) for drone in drones])
            for _ in range(2):
                time.sleep(chance.uniform(0.3, 2.5))
                host.kill()
                host.start()
            # What lasted for its dwell while nothing ran counts when it runs again.
            wanted = "active" if value == LOW else "cleared"
            wait_until(
                lambda wanted=wanted: len(  # type: ignore[misc]
                    {item["deviceId"] for item in host.items("/api/alerts") if item["status"] == wanted}
                ) == 15 and (wanted == "active" or not host.items("/api/alerts?status=active")),
                60,
                lambda: f"{host.items('/api/alerts')} {host.log.read_text()[-3000:]}",
            )  # fmt: skip
        alerts = host.items("/api/alerts")
        expected = Counter((alert["id"], kind) for alert in alerts for kind in kinds_of(alert))
        wait_until(lambda: receiver.kinds() >= expected, 60, lambda: f"{receiver.kinds() - expected}")
        time.sleep(2)
        assert receiver.kinds() == expected
        assert Counter(alert["deviceId"] for alert in alerts) == dict.fromkeys(drones, 2)
        assert receiver.refused == []


def kinds_of(alert: dict[str, Any]) -> list[str]:
    return ["raised", *(["cleared"] if alert["status"] == "cleared" else [])]


def test_what_is_ended_by_hand_goes_on(tmp_path: Path) -> None:
    with Receiver() as receiver, LocalHost(tmp_path / "data", settings=settings_for(receiver, clear=2)) as host:
        send(host.connection, [message("d", battery=LOW)])
        told(receiver, Counter(raised=1))
        api = "/runtime/webhooks/durabletask/instances"
        [episode] = instances(host, "~alert~")
        for one in (episode, "~alerts"):
            assert host.request("POST", f"{api}/{one}/terminate?reason=test").status == 202
        send(host.connection, [message("d", battery=FULL)])
        told(receiver, Counter(cleared=1), 90)
        assert max(receiver.kinds().values()) == 1
        assert host.request("GET", f"{api}/~alerts").json()["runtimeStatus"] == "Running"


def test_a_wrong_setting_stops_the_start(tmp_path: Path) -> None:
    host = LocalHost(tmp_path / "data", settings={"ALERT_WEBHOOKS": "https://10.1.2.3/x"})
    with pytest.raises(RuntimeError, match="ALERT_WEBHOOKS"):
        host.start()
