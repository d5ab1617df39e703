"""`make run` keeps its folder under a gigabyte: what it keeps how long, and free pages given back."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from settings import read_settings
from tools import demo, demo_retention, run
from tools.demo_retention import DISK_BYTES, give_back
from tools.run_status import MAX_LOG_BYTES

FLEETS = [(1, 0.1), (1, 1.0), (50, 1.0), (50, 10.0), (200, 1.0), (1000, 1.0), (1000, 2.0)]


@pytest.fixture(autouse=True)
def nobody_has_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(demo, "ROOT", tmp_path)
    for name in demo_retention.chosen_retention():
        monkeypatch.delenv(name)


@pytest.mark.parametrize(("drones", "rate"), FLEETS)
def test_what_is_kept_fits(drones: int, rate: float) -> None:
    kept = demo_retention.demo_retention(drones, rate)
    messages, batches = drones * rate, min(12.0, drones * rate)
    purge = 1 / 60  # until the next one comes, everything stays
    store = 3600 * (
        (kept.messages + purge) * messages * 950 + (kept.batches + purge) * (messages * 260 + batches * 6_000)
    )
    hub, logs = 4 * kept.hub_mib * 1.25 * 2**20, MAX_LOG_BYTES + 2 * 64 * 2**20
    assert kept.fits
    assert store + hub + logs + drones * kept.flights * 4 * 9_000 < DISK_BYTES
    assert "under 1 GB" in kept.told()


@pytest.mark.parametrize(("drones", "rate"), FLEETS)
def test_the_app_takes_it(drones: int, rate: float) -> None:
    retention = read_settings(demo_retention.demo_retention(drones, rate).settings()).retention
    assert retention.batches_hours <= retention.messages_hours <= retention.flights_hours
    assert retention.purged_hours >= retention.batches_hours


def test_the_larger_the_fleet_the_shorter() -> None:
    small, large = (demo_retention.demo_retention(drones, 1.0) for drones in (50, 1000))
    assert small.messages > 1.5
    assert large.messages < small.messages / 5


def test_what_cannot_fit_is_said() -> None:
    assert "MORE THAN 1 GB" in demo_retention.demo_retention(10_000, 2.0).told()


def test_who_has_chosen_is_left_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert demo_retention.chosen_retention() == []
    monkeypatch.setenv("RETENTION_BATCHES_HOURS", "200")
    (tmp_path / "local.settings.json").write_text(json.dumps({"Values": {"RETENTION_MESSAGES_HOURS": "300"}}))
    assert demo_retention.chosen_retention() == ["RETENTION_BATCHES_HOURS", "RETENTION_MESSAGES_HOURS"]


@pytest.mark.parametrize("chosen", [False, True])
def test_make_run_hands_it_to_the_host(
    chosen: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Started(Exception):
        pass

    seen: list[tuple[tuple[str, ...], dict[str, str]]] = []

    def spawned(*arguments: str, settings: dict[str, str], **_: object) -> None:
        seen.append((arguments, settings))
        raise Started

    monkeypatch.setattr(run, "_spawn", spawned)
    if chosen:
        monkeypatch.setenv("RETENTION_FLIGHTS_HOURS", "9000")
    with pytest.raises(Started):
        run.main(["--port", "0", "--event-hubs-port", "0", "--data", str(tmp_path / "data")])
    ((arguments, settings),) = seen
    assert ("RETENTION_MESSAGES_HOURS" in settings) is not chosen
    assert ("--event-hubs-retention-mib" in arguments) is not chosen


def test_free_pages_are_given_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_retention, "WORTH_GIVING_BACK", 100_000)
    path = tmp_path / "app" / "store.db"
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE t (x)")
        connection.executemany("INSERT INTO t VALUES (?)", [("x" * 1000,)] * 1000)
        connection.commit()
        connection.execute("DELETE FROM t WHERE rowid > 10")
    connection.close()
    before = path.stat().st_size
    assert give_back(tmp_path) > 500_000
    assert path.stat().st_size < before / 5
    assert give_back(tmp_path) == 0
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (10,)


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "durable" / "durable.db"
    path.parent.mkdir()
    path.write_text("no database")
    assert give_back(tmp_path) == 0
    assert path.read_text() == "no database"
