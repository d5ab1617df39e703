"""`export`: any range as one Parquet file, page by page."""

from __future__ import annotations

import builtins
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from telemetry.fields import FIELDS
from telemetry_admin import exporting, parquet
from tests.support.admin import Admin
from tests.support.answers import flight
from tests.support.service import Service

FULL = {
    "id": "m1",
    "deviceId": "d1",
    "time": "2026-01-02T03:04:05.250000Z",
    "timeSource": "device",
    "format": "json",
    "keyFrame": True,
    "battery": 0.5,
    "flightMode": "inflight",
    "flightModeNumber": 3,
    "position": {"latitude": 47.5, "longitude": -122, "altitude": 80.5, "height": 10, "altitudeReference": "msl"},
    "health": {"gyrometer": True, "magnetometer": False},
    "groundSpeed": 12,
    "heading": 271.5,
    "verticalSpeed": -0.5,
    "signal": 0.8,
    "mission": "survey-12",
    "extra": {"a": [1]},
    "derived": {"zones": ["z1"], "outsideGeofence": False, "altitudeLimitExceeded": None, "distanceFromHome": 7},
    "alerts": [{"code": "low_battery", "at": "2026-01-02T03:04:05Z"}],
    "flags": [],
    "enqueuedAt": "2026-01-02T03:04:06Z",
    "partition": "0",
    "sequenceNumber": 2**40,
    "index": 3,
    "batchId": "b1",
}


def message(number: int, drone: str = "d1") -> dict[str, Any]:
    return {"id": f"{drone}-{number}", "deviceId": drone, "time": f"2026-01-02T03:{number:02d}:00Z", "flags": []}


def page(*items: Any, continuation: str | None = None) -> tuple[int, Any]:
    return 200, {"items": list(items), "continuation": continuation}


def test_a_message_is_a_row_with_types_and_units(admin: Admin, service: Service, tmp_path: Path) -> None:
    file = tmp_path / "history.parquet"
    service.answers["GET /api/drones/d1/history"] = page(FULL, message(0))
    result = admin("export", "history", "d1", "--from", "2026-01-01T00:00:00Z", "--every", "2", "--out", str(file))
    assert (result.code, result.out.strip()) == (0, f"2 messages in {file}")
    assert service.asked[0][1] == {
        "from": ["2026-01-01T00:00:00Z"],
        "every": ["2"],
        "order": ["asc"],
        "limit": ["1000"],
    }
    table = pq.read_table(file)
    row, bare = table.to_pylist()
    assert row["time"] == datetime(2026, 1, 2, 3, 4, 5, 250_000, timezone.utc)
    assert (row["battery"], row["position_latitude"], row["sequenceNumber"]) == (0.5, 47.5, 2**40)
    assert (row["health_gyrometer"], row["health_accelerometer"], row["health_magnetometer"]) == (True, None, False)
    assert (row["derived_zones"], row["alerts"], row["extra"]) == (["z1"], ["low_battery"], '{"a": [1]}')
    assert bare["position_latitude"] is bare["alerts"] is bare["extra"] is None
    units = {field.name: field.metadata.get(b"unit", b"").decode() for field in table.schema}
    assert units["position_altitude"] == "metres"
    assert units["groundSpeed"] == "metres per second"
    assert units["battery"] == "fraction of the whole"
    assert table.schema.field("position_latitude").metadata[b"path"] == b"position.latitude"


def test_every_field_of_a_message_has_a_column() -> None:
    from telemetry_admin.columns import HISTORY

    paths = {column.path for column in HISTORY}
    assert {field.path for field in FIELDS} <= paths
    assert {path.split(".")[0] for path in paths} == set(FULL)


def test_pages_become_row_groups(
    admin: Admin, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "ROWS_PER_GROUP", 3)
    pages = [page(message(n), message(n + 1), continuation=str(n)) for n in range(0, 8, 2)]
    service.answers["GET /api/drones/d1/history"] = [*pages, page(), page(message(8))]
    service.answers["GET /api/drones/d2/history"] = page()
    service.answers["GET /api/drones"] = page({"id": "d2"}, {"id": "d1"})
    file = tmp_path / "all.parquet"
    assert admin("export", "history", "--all", "--out", str(file), "--json").json() == {"file": str(file), "rows": 8}
    whole = pq.ParquetFile(file)
    assert [whole.metadata.row_group(n).num_rows for n in range(whole.num_row_groups)] == [4, 4]
    assert whole.read(["id"]).to_pydict()["id"] == [f"d1-{n}" for n in range(8)]


def test_flights_are_exported(admin: Admin, service: Service, tmp_path: Path) -> None:
    place = {"latitude": 1, "longitude": 2, "altitude": 3.5}
    service.answers["GET /api/flights"] = page(flight("f1", takeoff=place, endedAt="2026-01-02T04:00:00Z"))
    file = tmp_path / "flights.parquet"
    assert admin("export", "flights", "--device", "d1", "--out", str(file)).code == 0
    (row,) = pq.read_table(file).to_pylist()
    assert (row["durationSeconds"], row["takeoff_altitude"], row["landing_latitude"]) == (3723.4, 3.5, None)
    assert set(service.asked[0][1]) == {"deviceId", "limit"}


def test_a_service_that_was_away_for_a_moment_costs_nothing(
    admin: Admin, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "FIRST_WAIT_SECONDS", 0.001)
    busy = (503, {"title": "Unavailable"})
    service.answers["GET /api/drones/d1/history"] = [page(message(0), continuation="t"), busy, busy, page(message(1))]
    file = tmp_path / "x.parquet"
    assert admin("export", "history", "d1", "--out", str(file)).code == 0
    assert pq.read_table(file).num_rows == 2
    service.answers["GET /api/drones/d1/history"] = busy
    assert admin("export", "history", "d1", "--out", str(tmp_path / "y.parquet")).code == 3
    assert [path.name for path in tmp_path.iterdir()] == ["x.parquet"]


def test_a_drone_never_seen_is_told_and_no_file_is_left(admin: Admin, service: Service, tmp_path: Path) -> None:
    result = admin("export", "history", "nobody", "--out", str(tmp_path / "x.parquet"))
    assert result.code == 1
    assert "404" in result.err
    assert list(tmp_path.iterdir()) == []


def test_without_pyarrow_it_says_what_to_install(admin: Admin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    result = admin("export", "history", "d1", "--out", str(tmp_path / "x.parquet"))
    assert result.code == 1
    assert "telemetry_admin/requirements.txt" in result.err
