from __future__ import annotations

from pathlib import Path

import pytest

from gateway.feed import StoppedFeed
from gateway.files import Options
from gateway.files.feed import FilesFeed
from gateway.forward import Forwarder
from gateway.mavlink.feed import Recording
from gateway.pace import Pace
from gateway.target import HubUnavailable
from tests.support.gateway.fake_hub import FakeHub, forwarding
from tests.support.gateway.files import GPX, NOON
from tests.support.gateway.flights import Flight, tlog


async def fed(
    folder: Path, hub: FakeHub, paths: list[Path], pace: Pace | None = None, *, hub_comes: bool = True
) -> Forwarder:
    """The forwarder, closed, after the files went through it; without a hub the run ends as if it were killed."""
    forwarder = forwarding(folder, hub)
    feed = FilesFeed(
        paths,
        forwarder,
        Options(),
        pace or Pace(0),
        lambda: Recording(forwarder, 1.0, {}),
    )
    try:
        if hub_comes:
            await feed.run()
        else:
            for number, (path, reader) in enumerate(feed._files):
                await feed._base_of(path)
                assert reader is not None
                await feed._send(path, reader, number)
    finally:
        await forwarder.close()
    return forwarder


async def test_rows_are_sent_with_their_own_times(tmp_path: Path) -> None:
    (tmp_path / "one.gpx").write_text(GPX)
    hub = FakeHub()
    await fed(tmp_path, hub, [tmp_path / "one.gpx"])
    assert [m["timestamp"] for m in hub.messages()] == ["2025-07-05T10:00:00.500Z", "2025-07-05T10:00:01.000Z"]
    assert {key for key, _ in hub.got} == {"one"}


async def test_as_if_flown_now_ends_now_and_a_run_after_a_crash_sends_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "one.gpx").write_text(GPX)
    hub = FakeHub()
    hub.away = HubUnavailable("away")
    pace = Pace(0, as_if_now=True)
    await fed(tmp_path / "spool", hub, [tmp_path / "one.gpx"], pace, hub_comes=False)
    hub.away = None
    again = Pace(0, as_if_now=True)
    await fed(tmp_path / "spool", hub, [tmp_path / "one.gpx"], again)
    assert hub.got[:2] == hub.got[2:]
    assert len(hub.got) == 4
    assert again.base == pace.base
    # Once it is through, the same file is another flight.
    third = Pace(0, as_if_now=True)
    await fed(tmp_path / "spool", hub, [tmp_path / "one.gpx"], third)
    assert third.base > pace.base
    assert not set(hub.got[4:]) & set(hub.got[:4])


async def test_json_lines_without_a_time_get_one_and_say_so_and_what_is_no_json_is_sent_raw(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text('{"deviceId": "a", "battery": 0.5}\n{"deviceId": "a"}\nnot JSON\n')
    hub = FakeHub()
    pace = Pace(0)
    await fed(tmp_path, hub, [tmp_path / "x.jsonl"], pace)
    first, second = hub.of("a")
    assert b'"clock":"gateway"' in first
    assert first[-50:] != second[-50:]
    assert hub.of("x") == [b"not JSON"]
    assert b"timestamp" in second


async def test_json_lines_with_times_keep_them_unless_flown_now(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text(f'{{"deviceId": "a", "timestamp": {NOON}}}\n')
    hub = FakeHub()
    await fed(tmp_path, hub, [tmp_path / "x.jsonl"])
    assert hub.messages() == [{"deviceId": "a", "timestamp": NOON}]
    await fed(tmp_path, hub, [tmp_path / "x.jsonl"], Pace(0, as_if_now=True))
    assert hub.messages()[1]["timestamp"] > "2026"


async def test_a_recording_among_them(tmp_path: Path) -> None:
    (tmp_path / "one.gpx").write_text(GPX)
    tlog(tmp_path / "f.tlog", [Flight()], 3)
    hub = FakeHub()
    await fed(tmp_path, hub, [tmp_path / "f.tlog", tmp_path / "one.gpx"])
    assert [key for key, _ in hub.got] == ["mav-1"] * 3 + ["one"] * 2


async def test_a_file_with_an_error_in_it_is_named_and_what_came_before_is_sent(tmp_path: Path) -> None:
    (tmp_path / "one.gpx").write_text(GPX.replace("52.52", "north"))
    with pytest.raises(StoppedFeed, match=r"one\.gpx: point 2"):
        await fed(tmp_path, FakeHub(), [tmp_path / "one.gpx"])


async def test_pace() -> None:
    pace = Pace(2.0, as_if_now=True)
    pace.base = 1000.0
    pace.span(10.0, 20.0)
    assert [pace.moment(at) for at in (10.0, 20.0)] == [1000.0, 1005.0]
    assert pace.due(10.0)
    assert not pace.due(10_000.0)
    await pace.wait(10.01)
    assert Pace(1.0).moment(5.0) == 5.0
