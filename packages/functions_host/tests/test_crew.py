"""Which worker processes leave, and which of them are given a time for it."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import Any

import pytest
from functions_host.pool import crew as crews
from functions_host.pool.crew import Crew, CrewOptions, Duties
from functions_host.pool.process import State, WorkerProcess


@pytest.fixture
def signals(monkeypatch: pytest.MonkeyPatch) -> list[tuple[WorkerProcess, int]]:
    sent: list[tuple[WorkerProcess, int]] = []
    monkeypatch.setattr(WorkerProcess, "signal", lambda worker, number: sent.append((worker, number)))
    monkeypatch.setattr(WorkerProcess, "pid", property(lambda worker: id(worker)))
    monkeypatch.setattr(crews, "LEAVING_SECONDS", 0.01)
    return sent


def crew_of_one_and_a_stand_in() -> tuple[Crew, WorkerProcess, WorkerProcess]:
    def nothing(*_: Any) -> None:
        return None

    crew = Crew(CrewOptions(1, Path(), {}), Duties(nothing, nothing, lambda: None, nothing))
    first, stand_in = WorkerProcess(nothing), WorkerProcess(nothing)
    for worker in (first, stand_in):
        worker.state = State.READY
        worker.calls[1] = object()  # type: ignore[assignment]  # under way
    crew.workers = [first, stand_in]
    return crew, first, stand_in


async def test_a_stand_in_that_is_needed_no_more_may_finish_its_calls(
    signals: list[tuple[WorkerProcess, int]],
) -> None:
    crew, first, stand_in = crew_of_one_and_a_stand_in()
    crew.balance()
    assert (first.state, stand_in.state) == (State.READY, State.LEAVING)
    await asyncio.sleep(0.05)
    assert signals == []


async def test_one_that_holds_a_call_beyond_its_time_is_killed_a_little_later_even_when_it_leaves_already(
    signals: list[tuple[WorkerProcess, int]],
) -> None:
    crew, _, stand_in = crew_of_one_and_a_stand_in()
    crew.balance()
    crew.replace(stand_in, "sleep goes on beyond its time")
    await asyncio.sleep(0.05)
    assert signals == [(stand_in, signal.SIGKILL)]
