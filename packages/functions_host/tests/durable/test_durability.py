"""Whatever write fails and whenever the process dies, the same state is reached, and each step counts once."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from functions_host.durable import DurableOptions

from . import journey_app
from .durable_support import Host
from .final_state import EXPECTED, final_state


class FailOnce:
    """A disk that refuses the nth thing it is asked to write, then works."""

    def __init__(self, nth: int) -> None:
        self.nth = nth
        self.asked = 0

    def __call__(self, what: str) -> None:
        self.asked += 1
        if self.asked == self.nth:
            raise sqlite3.OperationalError(f"disk I/O error at {what}")


async def journey(data: Path, nth: int, synchronous: str) -> tuple[FailOnce, dict[str, Any]]:
    host = Host(journey_app.build(), data, DurableOptions(synchronous=synchronous))
    await host.start()
    disk = host.engine.store.before_write = FailOnce(nth)
    await host.call("POST", "orchestrators/journey/j")
    await host.call("POST", "instances/j/raiseEvent/go", "now")
    await host.end_of("j")
    await host.quiet()
    state = await final_state(host)
    await host.stop()
    return disk, state


@pytest.mark.parametrize(("synchronous", "every"), [("normal", 1), ("full", 9)])
async def test_each_failing_write_in_turn_leads_to_the_same_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, synchronous: str, every: int
) -> None:
    monkeypatch.setattr("functions_host.durable.store.RETRY_SECONDS", (0.0,))
    nth = 1 - every
    while True:
        nth += every
        disk, state = await journey(tmp_path / str(nth), nth, synchronous)
        assert state == EXPECTED, f"after write {nth} failed"
        if disk.asked < nth:
            break
    assert nth > 60, "the journey writes more than that"


async def test_a_disk_that_refuses_for_a_while_only_delays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("functions_host.durable.store.RETRY_SECONDS", (0.0,))
    host = Host(journey_app.build(), tmp_path, DurableOptions())
    await host.start()
    refusals = 20

    def refuse(what: str) -> None:
        nonlocal refusals
        if what == "commit" and refusals:
            refusals -= 1
            raise sqlite3.OperationalError("database or disk is full")

    host.engine.store.before_write = refuse
    answer = await host.call("POST", "orchestrators/journey/j")
    assert answer.status == 202
    assert refusals == 0, "answered before it was stored"
    assert "commit failed (database or disk is full)" in caplog.text
    await host.call("POST", "instances/j/raiseEvent/go", "now")
    assert (await host.end_of("j"))["output"] == journey_app.OUTPUT
    await host.stop()


@pytest.mark.e2e
@pytest.mark.parametrize(("moment", "at_least"), [("commit", 8), ("transaction", 16)])
def test_kill_9_at_each_moment_in_turn_leads_to_the_same_state(moment: str, at_least: int) -> None:
    root = Path(__file__).parents[4]
    driver = ".".join(Path(__file__).with_name("kill_driver").relative_to(root).parts)
    ran = subprocess.run(
        [sys.executable, "-m", driver, moment], cwd=root, capture_output=True, text=True, timeout=110, check=False
    )
    lives = [json.loads(line) for line in ran.stdout.splitlines()]
    assert ran.returncode == 0, ran.stdout + ran.stderr
    for life in lives:
        assert life["state"] == EXPECTED, f"killed at {moment} {life['nth']}"
        assert life["executions"] == sorted(journey_app.EXECUTIONS), f"killed at {moment} {life['nth']}"
    assert len(lives) > at_least, "the journey writes more than that"
    assert [life["killed"] for life in lives] == [True] * (len(lives) - 1) + [False]


async def test_stop_and_start_go_on_where_it_stood(host: Callable[..., Any]) -> None:
    first = await host(journey_app.build())
    await first.start_new("journey", "j")
    await first.until(lambda: first.engine.health()["orchestrations"] == 1)
    await first.stop()
    second = await host(journey_app.build())
    await second.call("POST", "instances/j/raiseEvent/go", "now")
    assert (await second.end_of("j"))["output"] == journey_app.OUTPUT
    await second.quiet()
    assert await final_state(second) == EXPECTED
