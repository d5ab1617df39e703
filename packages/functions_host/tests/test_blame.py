"""Of what a worker was running when it died, a step of an orchestrator or entity is blamed only if it was under way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from functions_host.errors import WorkerLost
from functions_host.page import Page
from functions_host.pool.call import Call, HandedCall
from functions_host.pool.crew import Crew, CrewOptions, Duties
from functions_host.pool.process import WorkerProcess


def ignore(*_: Any) -> None:
    return None


@pytest.fixture
def crew(tmp_path: Path) -> Crew:
    return Crew(CrewOptions(1, tmp_path, {}), Duties(ignore, ignore, lambda: None, ignore))


async def test_a_step_whose_answer_was_on_its_way_is_not_blamed(crew: Crew) -> None:
    told: dict[int, Exception | None] = {}
    worker = WorkerProcess(ignore)
    crew.workers.append(worker)
    crew._watches[worker] = None  # type: ignore[assignment]
    worker.loaded.set_result("")

    def handed(number: int) -> HandedCall:
        return HandedCall("drone", "", ("entity",), lambda value, error: told.update({number: error}))

    activity = Call("activity", "", ("plain", "string", "1"), None, None)
    for number, call in enumerate((handed(1), handed(2), activity, handed(4)), start=1):
        call.number = number
        worker.calls[number] = call
    seen = Page(worker.page.descriptor)
    seen.begun, seen.handling = 3, 2
    crew._ended(worker, "was ended by SIGKILL")
    lost = {number: error.blamed for number, error in told.items() if isinstance(error, WorkerLost)}
    # The fourth had not begun, and is another worker's.
    assert lost == {1: False, 2: True}
    assert activity.answer.exception().blamed is True  # type: ignore[union-attr]
