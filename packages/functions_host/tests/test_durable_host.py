"""The durable engine inside the host: stores that cannot be used, hosts that are killed over a step that hangs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from functions_host.durable_service import DurableService
from host_support import HostProcess, wait_for
from hostile import end_of, in_background, notes, start

MakeHost = Callable[..., HostProcess]


@pytest.mark.e2e
def test_a_damaged_store_stops_the_start_in_one_line(host: MakeHost) -> None:
    started = host("hostile").start()
    start(started, "calls", "one", "well")
    assert end_of(started, "one")["output"] == "done"
    started.stop()
    path = started.data / "durable" / "durable.db"
    path.write_bytes(b"somebody's notes\n" * 1_000)
    before = len(started.log)
    started.launch()
    assert started.process is not None
    assert started.process.wait(30) == 1
    (line,) = [line for line in started.log[before:].splitlines() if "durable" in line]
    assert f"the durable store {path} is damaged (" in line
    assert "Put a copy back" in line
    assert "Traceback" not in started.log[before:]
    path.unlink()
    assert started.start().ready["url"], "moved away, the host starts"


@pytest.mark.e2e
def test_a_step_that_hangs_at_three_kills_of_the_host_is_failed(host: MakeHost) -> None:
    started = host("hostile", env={"AzureFunctionsJobHost__functionTimeout": "-1"})
    for life in range(1, 4):
        started.start()
        if life == 1:
            start(started, "steps", "hangs", "sleep")
            start(started, "calls", "neighbour", "well")
        wait_for(lambda life=life: len(notes(started, "step-sleep")) == life, "the step to hang")
        started.kill()
    started.start()
    status = end_of(started, "hangs", 30)
    assert status["runtimeStatus"] == "Failed"
    assert "died 3 times while it was running" in status["output"]
    assert end_of(started, "neighbour")["output"] == "done"
    assert len(notes(started, "step-sleep")) == 3


@pytest.mark.e2e
def test_what_a_function_starts_while_the_host_stops_is_run_at_the_next_start(host: MakeHost) -> None:
    started = host("hostile").start()
    thread, answers = in_background(f"{started.url}/api/starts")
    wait_for(lambda: notes(started, "late"), "the function to run")
    assert started.stop() == 0
    thread.join()
    assert [answer.text for answer in answers] == ["late"]
    assert "ERROR" not in started.log
    started.start()
    assert end_of(started, "late")["output"] == "done"


def test_the_engine_s_failed_write_is_the_host_s_problem_until_one_succeeds(tmp_path: Path) -> None:
    invoker: Any = None
    service = DurableService([], invoker, {}, tmp_path, 1)
    assert service.problem is None
    service._engine.store.failed_write = "durable.db: database or disk is full"
    assert service.problem == "the durable engine cannot write: durable.db: database or disk is full"
