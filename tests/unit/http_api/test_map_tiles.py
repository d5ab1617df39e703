"""A PMTiles file in ranges: bounded, named when it is replaced, and told in words when the range is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from http_api import map_tiles
from settings import SettingError, read_settings
from tests.support import pmtiles
from tests.support.http_client import Client


@pytest.fixture
def file(tmp_path: Path, environment: pytest.MonkeyPatch) -> Path:
    path = pmtiles.write(tmp_path / "world.pmtiles", {(0, 0, 0): pmtiles.picture(10, 20, 30)})
    environment.setenv("MAP_PMTILES_FILE", str(path))
    return path


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [("bytes=0-15", 0, 15), ("bytes=5-5", 5, 5), ("bytes=100-", 100, None), ("bytes=-7", -7, None)],
)
async def test_a_range_is_what_was_asked_for(ask: Client, file: Path, asked: str, first: int, last: int | None) -> None:
    answer = await ask.get("/api/map.pmtiles", Range=asked)
    whole = file.read_bytes()
    expected = whole[first:] if last is None else whole[first : last + 1]
    assert (answer.status, answer.body) == (206, expected)
    begin = first % len(whole)
    assert answer.headers["content-range"] == f"bytes {begin}-{begin + len(expected) - 1}/{len(whole)}"
    assert answer.headers["accept-ranges"] == "bytes"


async def test_no_answer_is_longer_than_the_bound(ask: Client, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(map_tiles, "MOST_BYTES", 16)
    answer = await ask.get("/api/map.pmtiles", Range="bytes=4-999999999")
    assert answer.body == file.read_bytes()[4:20]
    assert answer.headers["content-range"].startswith("bytes 4-19/")


@pytest.mark.parametrize(
    "asked", [None, "bytes=", "bytes=a-b", "bytes=0-1,5-6", "lines=0-1", "bytes=9999999999999999-"]
)
async def test_the_file_is_never_sent_whole(ask: Client, file: Path, asked: str | None) -> None:
    answer = await ask.get("/api/map.pmtiles", **({} if asked is None else {"Range": asked}))
    assert answer.status == 400
    assert "bytes=0-16383" in answer.json()["detail"]


async def test_bytes_beyond_the_end_are_told_with_the_size(ask: Client, file: Path) -> None:
    size = file.stat().st_size
    for asked in (f"bytes={size}-", "bytes=5-4", "bytes=-0"):
        answer = await ask.get("/api/map.pmtiles", Range=asked)
        assert answer.status == 416
        assert answer.headers["content-range"] == f"bytes */{size}"


async def test_a_file_that_is_replaced_has_another_tag(ask: Client, file: Path) -> None:
    before = await ask.get("/api/map.pmtiles", Range="bytes=0-7")
    tag = before.headers["etag"]
    assert (await ask.get("/api/map.pmtiles", **{"Range": "bytes=0-7", "If-None-Match": tag})).status == 304
    assert (await ask.get("/api/map.pmtiles", **{"Range": "bytes=0-7", "If-Range": tag})).status == 206
    pmtiles.write(file, {(0, 0, 0): pmtiles.picture(1, 2, 3), (1, 0, 0): pmtiles.picture(4, 5, 6)})
    after = await ask.get("/api/map.pmtiles", **{"Range": "bytes=0-7", "If-Range": tag})
    assert after.status == 412
    assert after.headers["etag"] != tag
    file.unlink()
    assert (await ask.get("/api/map.pmtiles", Range="bytes=0-7")).status == 404


async def test_the_page_learns_where_the_file_is(ask: Client, file: Path) -> None:
    assert (await ask.get("/api/config")).json()["mapPmtilesUrl"] == "/api/map.pmtiles"


async def test_without_the_setting_there_is_no_such_map(ask: Client) -> None:
    answer = await ask.get("/api/map.pmtiles", Range="bytes=0-7")
    assert answer.status == 404
    assert "MAP_PMTILES_FILE" in answer.json()["detail"]


def test_a_file_that_is_none_stops_the_start(tmp_path: Path) -> None:
    path = tmp_path / "map.pmtiles"
    for start, words in ((b"SQLite format 3", "no PMTiles file"), (b"PMTiles\x02", "version 2"), (b"PMTiles", "none")):
        path.write_bytes(start)
        with pytest.raises(SettingError, match=f"setting MAP_PMTILES_FILE: .*{words}.*allowed: "):
            read_settings({"MAP_PMTILES_FILE": str(path)})
    with pytest.raises(SettingError, match=r"setting MAP_PMTILES_FILE: .*a file that exists"):
        read_settings({"MAP_PMTILES_FILE": str(tmp_path / "none")})
    good = pmtiles.write(path, {(0, 0, 0): b"x"})
    with pytest.raises(SettingError, match="one of the two"):
        read_settings({"MAP_PMTILES_FILE": str(good), "MAP_TILES_URL": "https://tile.example.org/{z}/{x}/{y}.png"})
