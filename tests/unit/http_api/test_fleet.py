"""The fleet: filters, paging, and what one request may cost."""

from __future__ import annotations

from typing import Any

import pytest

from durable_sdk import EntityPage
from http_api import fleet
from http_api.fleet import FleetFilter, list_fleet
from pipeline.ports import InvalidContinuation
from telemetry.times import from_datetime
from tests.support import states
from tests.support.extension import Extension
from tests.support.http_client import Client


async def ids(ask: Client, query: str) -> list[str]:
    answer = await ask.get(f"/api/drones?{query}")
    assert answer.status == 200, answer.body
    return [drone["id"] for drone in answer.json()["items"]]


def place(longitude: float, latitude: float) -> dict[str, Any]:
    return {"position": {"longitude": longitude, "latitude": latitude}}


async def test_the_fleet_lists_the_same_objects_as_one_drone(ask: Client, extension: Extension) -> None:
    extension.keep(states.state("drone-1", battery=0.5))
    (listed,) = (await ask.get("/api/drones")).json()["items"]
    one = (await ask.get("/api/drones/drone-1")).json()
    listed.pop("ageSeconds"), one.pop("ageSeconds")
    assert listed == one


async def test_an_empty_fleet_is_an_empty_list(ask: Client) -> None:
    answer = (await ask.get("/api/drones")).json()
    assert answer.pop("asOf") > "2026"
    assert answer == {"items": [], "continuation": None}


async def test_each_filter_selects(ask: Client, extension: Extension) -> None:
    now = from_datetime(_utc_now())
    extension.keep(states.state("fresh", enqueued_at=now, timestamp=now, battery=0.9, flightMode="inflight"), now)
    extension.keep(states.state("low", battery=0.1, flightMode="landing"))
    extension.keep(states.state("near", **place(10.5, 10.5)))
    assert await ids(ask, "connectivity=online") == ["fresh"]
    assert await ids(ask, "connectivity=offline") == ["low", "near"]
    assert await ids(ask, "alert=low_battery") == ["low"]
    assert await ids(ask, "alert=no_fly_zone") == ["near"]
    assert await ids(ask, "flightMode=inflight") == ["fresh"]
    assert await ids(ask, "zone=airport") == ["near"]
    assert await ids(ask, "zone=nowhere") == []
    assert await ids(ask, "idPrefix=l") == ["low"]
    assert await ids(ask, "connectivity=offline&alert=low_battery") == ["low"]


def _utc_now() -> Any:
    from datetime import datetime, timezone

    return datetime.now(timezone.utc)


async def test_a_box_has_its_edges_and_may_cross_the_antimeridian(ask: Client, extension: Extension) -> None:
    for name, longitude, latitude in [("a", 10, 10), ("b", 11, 11), ("c", 179.5, 0), ("d", -179.5, 0)]:
        extension.keep(states.state(name, **place(longitude, latitude)))
    extension.keep(states.state("unplaced", battery=0.5))
    assert await ids(ask, "bbox=10,10,11,11") == ["a", "b"]
    assert await ids(ask, "bbox=10.5,10.5,11,11") == ["b"]
    assert await ids(ask, "bbox=179,-1,-179,1") == ["c", "d"]
    assert await ids(ask, "bbox=-180,-90,180,90") == ["a", "b", "c", "d"]


async def test_changed_since_is_strictly_after_and_narrows_what_is_read(ask: Client, extension: Extension) -> None:
    extension.keep(states.state("old"), operated_at="2026-01-02T02:00:00.0000000Z")
    extension.keep(states.state("new", enqueued_at="2026-01-02T03:04:06.000000Z"), "2026-01-02T03:04:06.1000000Z")
    extension.keep(states.state("same"), operated_at="2026-01-02T03:04:06.1000000Z")
    assert await ids(ask, f"changedSince={states.ENQUEUED}") == ["new"]
    assert await ids(ask, "changedSince=2026-01-02T04:04:05.499999%2B01:00") == ["new", "same"]
    assert await ids(ask, "changedSince=2026-01-02T04:04:05.499999+01:00") == ["new", "same"]
    assert "lastOperationTimeFrom=2026-01-02T02:59:05.500000Z" in extension.requests[0]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("connectivity=away", "connectivity"),
        ("alert=hungry", "alert"),
        ("flightMode=6", "flightMode"),
        ("zone=", "zone"),
        ("bbox=1,2,3", "bbox"),
        ("bbox=1,2,3,x", "bbox"),
        ("bbox=1,20,3,10", "bbox"),
        ("bbox=-181,0,0,1", "bbox"),
        ("bbox=0,0,0,91", "bbox"),
        ("bbox=nan,0,0,1", "bbox"),
        ("changedSince=yesterday", "changedSince"),
        ("changedSince=2026-01-02T03:04:05", "changedSince"),
        ("idPrefix=", "idPrefix"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=1.5", "limit"),
        ("limit=-1", "limit"),
        ("limit=%2B5", "limit"),
        ("limit=1&limit=2", "limit"),
        ("continuation=abc", "continuation"),
        ("continuation=%C3%A9", "continuation"),
        ("continuation=", "continuation"),
        ("colour=red", "colour"),
        ("Limit=5", "Limit"),
    ],
)
async def test_a_wrong_parameter_is_named(ask: Client, extension: Extension, query: str, name: str) -> None:
    answer = await ask.get(f"/api/drones?{query}")
    problem = answer.json()
    assert answer.status == 400
    assert problem["errors"][0]["parameter"] == name
    assert name in problem["detail"]
    assert extension.requests == []


async def test_all_wrong_parameters_are_named_at_once(ask: Client) -> None:
    problem = (await ask.get("/api/drones?limit=0&colour=red&bbox=1")).json()
    assert [error["parameter"] for error in problem["errors"]] == ["limit", "colour", "bbox"]


async def test_the_platforms_parameters_pass(ask: Client) -> None:
    assert (await ask.get("/api/drones?code=secret&clientId=me")).status == 200


@pytest.mark.parametrize("query", ["", "&alert=low_battery", "&alert=low_battery&fields=battery"])
async def test_pages_follow_each_other_without_gap_or_repetition(
    ask: Client, extension: Extension, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet, "SCAN_PAGE", 7)
    for number in range(40):
        extension.keep(states.state(f"drone-{number:02}", battery=0.1 if number % 3 == 0 or not query else 0.9))
    expected = [f"drone-{number:02}" for number in range(40) if number % 3 == 0 or not query]
    seen: list[str] = []
    continuation = ""
    while True:
        answer = (await ask.get(f"/api/drones?limit=4{query}{continuation}")).json()
        assert len(answer["items"]) <= 4
        seen += [drone["id"] for drone in answer["items"]]
        if answer["continuation"] is None:
            break
        continuation = f"&continuation={answer['continuation']}"
    assert seen == expected


async def test_the_limit_may_change_from_page_to_page(ask: Client, extension: Extension) -> None:
    for number in range(10):
        extension.keep(states.state(f"drone-{number}"))
    first = (await ask.get("/api/drones?limit=3")).json()
    rest = await ids(ask, f"limit=1000&continuation={first['continuation']}")
    assert rest == [f"drone-{number}" for number in range(3, 10)]


async def test_a_token_of_another_query_is_refused(ask: Client, extension: Extension) -> None:
    for number in range(3):
        extension.keep(states.state(f"drone-{number}"))
    token = (await ask.get("/api/drones?limit=1")).json()["continuation"]
    answer = await ask.get(f"/api/drones?limit=1&idPrefix=d&continuation={token}")
    assert answer.status == 400
    assert answer.json()["errors"][0]["parameter"] == "continuation"


class Lister:
    """Drones ``0000`` … in pages, and how many rows were read."""

    def __init__(self, size: int) -> None:
        self.keys = [f"{number:06}" for number in range(size)]
        self.read = 0

    async def page(self, top: int, token: str | None, *, operated_from: str | None = None) -> EntityPage:
        start = int(token or 0)
        keys = self.keys[start : start + top]
        self.read += len(keys)
        end = start + top
        items = [(key, {"lastSeen": "", "key": key}) for key in keys]
        return EntityPage(items, str(end) if end < len(self.keys) else None)


def _view(state: Any) -> dict[str, Any]:
    return {"id": state["key"], "connectivity": "online" if state["key"].endswith("99999") else "stale"}


async def test_one_request_looks_at_a_bounded_part_of_a_large_fleet() -> None:
    lister = Lister(100_000)
    where = FleetFilter(connectivity="online")
    page = await list_fleet(lister, _view, where, 100, None, clock=lambda: 0.0)
    assert lister.read <= fleet.SCAN_BUDGET
    assert page.items == []
    assert page.continuation is not None
    requests = 1
    found: list[str] = []
    while page.continuation is not None:
        page = await list_fleet(lister, _view, where, 100, page.continuation, clock=lambda: 0.0)
        found += [view["id"] for view in page.items]
        requests += 1
    assert found == ["099999"]
    assert requests == 100_000 // fleet.SCAN_BUDGET
    assert lister.read == 100_000


async def test_a_slow_list_ends_the_request_early() -> None:
    ticks = iter(range(0, 100, 1))
    lister = Lister(100_000)
    page = await list_fleet(
        lister, _view, FleetFilter(connectivity="online"), 100, None, clock=lambda: float(next(ticks))
    )
    assert lister.read == fleet.SCAN_PAGE * int(fleet.SCAN_SECONDS)
    assert page.continuation is not None


async def test_an_unfiltered_page_reads_no_more_rows_than_it_gives() -> None:
    lister = Lister(100_000)
    page = await list_fleet(lister, _view, FleetFilter(), 100, None)
    assert (len(page.items), lister.read) == (100, 100)


async def test_a_drone_deleted_between_pages_neither_hides_nor_repeats_others(monkeypatch: pytest.MonkeyPatch) -> None:
    lister = Lister(10)
    where = FleetFilter(connectivity="stale")
    first = await list_fleet(lister, _view, where, 4, None)
    lister.keys.remove("000003")
    second = await list_fleet(lister, _view, where, 4, first.continuation)
    assert [view["id"] for view in second.items] == ["000004", "000005", "000006", "000007"]


async def test_what_is_left_of_a_vanished_page_ends_the_list() -> None:
    lister = Lister(10)
    where = FleetFilter(connectivity="stale")
    first = await list_fleet(lister, _view, where, 9, None)
    lister.keys.clear()
    assert await list_fleet(lister, _view, where, 9, first.continuation) == fleet.FleetPage([], None)


async def test_a_token_of_another_list_is_not_ours() -> None:
    with pytest.raises(InvalidContinuation):
        await list_fleet(Lister(1), _view, FleetFilter(), 1, "W10")


async def test_a_state_that_is_none_hides_no_other(ask: Client, extension: Extension) -> None:
    good = states.state("drone-1", battery=0.1)
    extension.keep(good)
    extension.keep({"id": "evil"})
    for number, broken in enumerate([{}, [], "x", {**good, "layers": 7}, {**good, "lastSeen": 7}]):
        extension.entities[f"evil-{number}"] = (broken, "2026-01-01T00:00:00.0000000Z")
    assert await ids(ask, "") == ["drone-1"]
    assert await ids(ask, "alert=low_battery&changedSince=2020-01-01T00:00:00.000000Z") == ["drone-1"]
    assert (await ask.get("/api/drones/evil")).status == 404
    assert (await ask.get("/api/drones/evil-3")).status == 404
    assert (await ask.get("/api/v1/dronestatus/evil")).status == 404
