"""`flights`: list, show, track."""

from __future__ import annotations

from pathlib import Path

from tests.support.admin import Admin
from tests.support.answers import flight
from tests.support.service import Service


def test_flights_are_a_table(admin: Admin, service: Service) -> None:
    service.answers["GET /api/flights"] = (200, {"items": [flight("f1")], "continuation": None})
    result = admin(
        "flights", "list", "--device", "d1", "--from", "2026-01-01T00:00:00Z", "--to", "2026-02-01T00:00:00Z"
    )
    (row,) = (line for line in result.out.splitlines() if line.startswith("f1"))
    for words in ("ongoing", "1:02:03", "12,346 m", "80 m", "95% → –", "low_battery, no_fly_zone"):
        assert words in row
    assert service.asked[0][1] == {
        "deviceId": ["d1"],
        "from": ["2026-01-01T00:00:00Z"],
        "to": ["2026-02-01T00:00:00Z"],
        "limit": ["1000"],
    }


def test_one_flight(admin: Admin, service: Service) -> None:
    service.answers["GET /api/flights/d1~2026"] = (200, flight("d1~2026"))
    assert admin("flights", "show", "d1~2026", "--json").json() == flight("d1~2026")
    assert "12345.6" in admin("flights", "show", "d1~2026").out


def test_a_track_is_written_whole_or_not_at_all(admin: Admin, service: Service, tmp_path: Path) -> None:
    file = tmp_path / "track.gpx"
    service.answers["GET /api/flights/f1/track"] = (200, b"<gpx>" + b"x" * 200_000)
    assert admin("flights", "track", "f1", "--format", "gpx", "--every", "5", "--out", str(file)).code == 0
    assert file.read_bytes() == b"<gpx>" + b"x" * 200_000
    assert service.asked[0][1] == {"format": ["gpx"], "every": ["5"]}
    file.unlink()
    refused = admin("flights", "track", "f2", "--out", str(file))
    assert refused.code == 1
    assert "404 Not found" in refused.err
    assert list(tmp_path.iterdir()) == []
