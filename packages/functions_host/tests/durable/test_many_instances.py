"""The few that run, and the few that are old, are found among many that have ended without a walk through all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from functions_host.durable.management import status

from . import recorded_app

HostMaker = Callable[..., Any]
MANY = 3_000
QUERIES = (
    "instances?instanceIdPrefix=telemetry~&runtimeStatus=Pending,Running,Suspended&createdTimeTo=2100-01-01T00:00:00Z",
    "instances?instanceIdPrefix=telemetry~&runtimeStatus=Completed&createdTimeTo=2001-01-01T00:00:00Z",
    "instances?createdTimeFrom=2000-01-01T00:00:00Z&createdTimeTo=2000-01-01T00:00:10Z",
)


async def filled(host: HostMaker) -> Any:
    one = await host(recorded_app.build())
    await one.start_new("longrun", "telemetry~runs")
    year_2000, year_2020 = 946_684_800_000_000, 1_577_836_800_000_000
    rows = [
        ("INSERT INTO instances(instance_id, kind, name, status, execution_id, created, updated) VALUES(?,0,?,?,?,?,?)",
         (f"telemetry~{number:05}", "chain", "Completed", "e", moment, moment))
        for number in range(MANY)
        for moment in [(year_2000 if number % 1000 == 500 else year_2020) + number]
    ]  # fmt: skip
    await one.engine.store.submit(rows)
    return one


def count_steps(one: Any, steps: list[int]) -> None:
    """Counts a hundred of SQLite's steps as one."""
    one.engine.store._reader.set_progress_handler(lambda: steps.append(1), 100)


@pytest.mark.parametrize("few", [0, 20_000])
async def test_the_same_are_found_either_way(host: HostMaker, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "FEW", few)
    one = await filled(host)
    found: list[Any] = [[row["instanceId"] for row in (await one.call("GET", query)).body] for query in QUERIES]
    old = ["telemetry~00500", "telemetry~01500", "telemetry~02500"]
    assert found == [["telemetry~runs"], old, old]
    page = await one.call("GET", f"{QUERIES[1]}&top=2")
    token = page.headers["x-ms-continuation-token"]
    rest = await one.call("GET", f"{QUERIES[1]}&top=2", headers={"x-ms-continuation-token": token})
    assert [row["instanceId"] for row in [*page.body, *rest.body]] == old


@pytest.mark.parametrize("query", QUERIES)
async def test_not_all_are_gone_through(host: HostMaker, query: str) -> None:
    one = await filled(host)
    steps: list[int] = []
    count_steps(one, steps)
    assert (await one.call("GET", query)).body
    assert len(steps) < MANY / 100
