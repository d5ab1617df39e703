"""Whatever write fails and whenever the process dies, the same state is reached, and each step counts once."""

from __future__ import annotations

import asyncio
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
    assert nth > 40, "the journey writes more than that"


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


async def test_nothing_is_done_before_it_is_stored(host: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functions_host.durable.store.RETRY_SECONDS", (0.001,))
    executions: list[str] = []
    one = await host(journey_app.build(executions))
    await one.start_new("child", "c", 1)
    steps = len(one.runner.contexts)
    refusing = True

    def refuse(_: str) -> None:
        if refusing:
            raise sqlite3.OperationalError("disk I/O error")

    one.engine.store.before_write = refuse
    await one.until(lambda: len(one.runner.contexts) > steps)
    raising = asyncio.create_task(one.call("POST", "instances/c/raiseEvent/x", 1))
    signalling = asyncio.create_task(one.call("POST", "entities/total/t?op=get"))
    starting = asyncio.create_task(one.call("POST", "orchestrators/child/d", 1))
    await asyncio.sleep(0.05)
    assert not executions, "the step that schedules the activity is not stored yet"
    assert not any(task.done() for task in (raising, signalling, starting)), "answered before it was stored"
    refusing = False
    for task in (raising, signalling, starting):
        assert (await task).status == 202
    assert (await one.end_of("c"))["output"] == 2
    assert executions.count("double 1") == 1


async def test_an_activity_whose_result_was_stored_is_not_run_again(host: Callable[..., Any]) -> None:
    executions: list[str] = []
    one = await host(journey_app.build(executions))
    real = one.runner.run_activity
    gate = asyncio.Event()

    async def gated(name: str, input_json: str | None, instance_id: str) -> str | None:
        await gate.wait()
        return str(await real(name, input_json, instance_id))

    one.runner.run_activity = gated
    await one.start_new("child", "c", 1)
    await one.settled()
    one.engine._scheduler._stopped = True
    gate.set()
    await one.until(lambda: one.engine.store.read("SELECT 1 FROM inbox WHERE kind='task'"))
    await one.stop()
    two = await host(journey_app.build(executions))
    assert (await two.end_of("c"))["output"] == 2
    assert executions == ["double 1"]
