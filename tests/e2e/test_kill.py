"""kill -9 at any moment, start again: everything that was acknowledged to a sender is still processed, once."""

from __future__ import annotations

import threading
from collections import Counter

import pytest

from tests.support.senders import flights, message, send
from tools.local_host import LocalHost, wait_until

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("window", ["0", "2"], ids=["at once", "signal window"])
def test_three_kills_in_a_run_of_three_thousand_messages_lose_and_double_nothing(
    own_host: LocalHost, window: str
) -> None:
    own_host.settings["SIGNAL_WINDOW_SECONDS"] = window
    own_host.start()
    fleet = flights(30, 100)
    for part in range(3):
        send(own_host.connection, fleet[part * 1_000 : (part + 1) * 1_000])
        wait_until(lambda: own_host.get("/api/stats")["events"] > 0, 20, lambda: "no event arrived")
        own_host.kill()
        own_host.start()
    stats = own_host.settled(messages=3_000, stored=3_000, seconds=90)

    assert stats["messages"] == stats["stored"] + stats["duplicates"] + stats["rejected"]
    assert (stats["stored"], stats["rejected"]) == (3_000, 0)
    for drone in range(30):
        history = own_host.items(f"/api/drones/drone-{drone}/history?limit=1000")
        assert Counter(m["battery"] for m in history) == Counter(
            message(f"drone-{drone}", n)["battery"] for n in range(100)
        )
        assert own_host.get(f"/api/drones/drone-{drone}")["battery"] == message("d", 99)["battery"]
    wait_until(lambda: own_host.get("/api/stats")["held"]["batches"] == 0, 60, lambda: str(own_host.get("/api/stats")))

    def listed() -> bool:  # what was signalled last is merged a moment later
        fleet = own_host.get("/api/drones")["items"]
        return len(fleet) == 30 and {one["battery"] for one in fleet} == {message("d", 99)["battery"]}

    wait_until(listed, 20, lambda: str(own_host.get("/api/drones")["items"]))


def test_forty_starts_of_one_instance_run_it_once(own_host: LocalHost) -> None:
    own_host.start()
    send(own_host.connection, [message("forty", n) for n in range(20)], partition="0")
    own_host.settled(messages=20)
    batch = own_host.items("/api/batches")[0]
    answers: list[int] = []

    def replay() -> None:
        answers.append(own_host.request("POST", f"/api/batches/{batch['id']}/replay").status)

    threads = [threading.Thread(target=replay) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 202 in answers
    assert set(answers) <= {202, 409}
    own_host.settled(messages=20)
    again = own_host.get(f"/api/batches/{batch['id']}")
    assert again["attempts"] == batch["attempts"] + answers.count(202)
    assert (again["stored"], again["duplicates"]) == (batch["stored"], batch["duplicates"])
    assert len(own_host.items("/api/drones/forty/history")) == 20


def test_ctrl_c_ends_the_host_and_its_hub_within_seconds(own_host: LocalHost) -> None:
    own_host.start()
    send(own_host.connection, [message("stop", 0)])
    assert own_host.stop(seconds=12) == 0
    own_host.start()
    assert own_host.settled(messages=1)["messages"] == 1
