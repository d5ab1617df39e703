"""`zones` and `registry`: what is read names its entity tag, and what is changed names the tag that was read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from telemetry_admin.cli import main
from tests.support.admin import Admin
from tests.support.service import Service

NO_ZONES = {"type": "FeatureCollection", "features": []}
BROKEN = {"feature": 0, "id": "z1", "ring": 0, "detail": "ring crosses itself"}
CHANGED = (412, {"title": "It has been changed meanwhile", "detail": 'its ETag is "b"'})


def crossing() -> dict[str, Any]:
    ring = [[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]
    geometry = {"type": "Polygon", "coordinates": [ring]}
    properties = {"id": "z1", "name": "z", "kind": "no_fly"}
    return {
        "type": "FeatureCollection",
        "features": [{"type": "Feature", "geometry": geometry, "properties": properties}],
    }


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "zones.geojson"
    path.write_text(json.dumps(NO_ZONES))
    return path


def test_zones_are_got_with_their_tag(admin: Admin, service: Service, tmp_path: Path) -> None:
    service.answers["GET /api/zones"] = service.answers["GET /api/zones/versions/3"] = (200, NO_ZONES)
    service.extra["ETag"] = '"abc"'
    result = admin("zones", "get")
    assert result.json() == NO_ZONES
    assert '"abc"' in result.err
    out = tmp_path / "old.geojson"
    assert admin("zones", "get", "--version", "3", "--out", str(out)).out == ""
    assert json.loads(out.read_text()) == NO_ZONES


@pytest.mark.parametrize(("given", "sent"), [("abc", '"abc"'), ('"abc"', '"abc"'), (None, "*")])
def test_zones_are_put_under_a_tag(admin: Admin, service: Service, file: Path, given: str | None, sent: str) -> None:
    service.answers["PUT /api/zones"] = (200, NO_ZONES)
    service.extra["ETag"] = '"new"'
    result = admin("zones", "put", str(file), *(("--force",) if given is None else ("--if-match", given)))
    assert (result.code, result.out.split()[0]) == (0, "0")
    assert '"new"' in result.err
    assert service.headers[0]["If-Match"] == sent
    assert service.asked[0][2] == NO_ZONES


def test_without_a_tag_nothing_is_put(service: Service, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["zones", "put", str(file), "--url", service.url])
    assert ended.value.code == 2
    assert "--if-match" in capsys.readouterr().err
    assert service.asked == []


def test_what_was_changed_meanwhile_is_told(admin: Admin, service: Service, file: Path) -> None:
    service.answers["PUT /api/zones"] = CHANGED
    result = admin("zones", "put", str(file), "--if-match", "a")
    assert result.code == 1
    assert '412 It has been changed meanwhile: its ETag is "b"' in result.err


def test_every_broken_rule_is_told(admin: Admin, service: Service, file: Path) -> None:
    problem = {"title": "Zones break the rules", "detail": "1 rule is broken", "errors": [BROKEN]}
    service.answers["PUT /api/zones"] = (400, problem)
    result = admin("zones", "put", str(file), "--force")
    assert result.code == 1
    assert "ring crosses itself" in result.out


def test_a_file_is_checked_without_the_service(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["zones", "check", str(file)]) == 0
    assert capsys.readouterr().out.strip() == "nothing is wrong"
    file.write_text(json.dumps(crossing()))
    assert main(["zones", "check", str(file), "--json"]) == 1
    (error,) = json.loads(capsys.readouterr().out)
    assert (error["feature"], error["id"], error["ring"]) == (0, "z1", 0)
    for text in ("{", "[" * 100_000, '{"floor": NaN}'):
        file.write_text(text)
        assert main(["zones", "check", str(file)]) == 1
        assert "no JSON" in capsys.readouterr().err
    assert main(["zones", "check", "/nowhere/zones.geojson"]) == 1
    assert "/nowhere/zones.geojson" in capsys.readouterr().err


def test_versions_are_listed_and_restored(admin: Admin, service: Service) -> None:
    version = {"version": 2, "at": "2026-01-02T03:04:05Z", "by": None}
    service.answers["GET /api/zones/versions"] = (200, {"items": [version], "continuation": None})
    assert admin("zones", "versions").out.splitlines()[-1].split() == ["2", "2026-01-02T03:04:05Z", "–"]
    service.answers["POST /api/zones/versions/2/restore"] = (200, NO_ZONES)
    service.extra["ETag"] = '"new"'
    assert admin("zones", "restore", "2", "--json").json() == NO_ZONES
    assert "If-Match" not in service.headers[-1]
    assert admin("zones", "restore", "2", "--if-match", "a").code == 0
    assert service.headers[-1]["If-Match"] == '"a"'


def test_the_registry(admin: Admin, service: Service, tmp_path: Path) -> None:
    entry = {"id": "d1", "name": "Falcon", "home": {"latitude": 1, "longitude": 2}}
    pages = [(200, {"items": [entry], "continuation": "t"}), (200, {"items": [{"id": "d2"}], "continuation": None})]
    service.answers["GET /api/registry"] = list(pages)
    assert [e["id"] for e in admin("registry", "list", "--json", "--limit", "2").json()] == ["d1", "d2"]
    assert [query for _, query, _ in service.asked] == [{"limit": ["2"]}, {"limit": ["1"], "continuation": ["t"]}]
    service.answers["GET /api/registry"] = list(pages)
    assert "Falcon" in admin("registry", "list").out
    service.answers["GET /api/registry/d1"] = service.answers["PUT /api/registry/d1"] = (200, entry)
    service.extra["ETag"] = '"e"'
    shown = admin("registry", "show", "d1", "--json")
    assert shown.json() == entry
    assert '"e"' in shown.err
    file = tmp_path / "d1.json"
    file.write_text(shown.out)
    assert admin("registry", "put", "d1", str(file), "--if-match", "e").code == 0
    assert service.asked[-1][2] == entry
    assert service.headers[-1]["If-Match"] == '"e"'
    # Without a tag it must be new.
    assert admin("registry", "put", "d1", str(file)).code == 0
    assert service.headers[-1]["If-None-Match"] == "*"
    service.answers["DELETE /api/registry/d1"] = (204, b"")
    assert admin("registry", "delete", "d1", "--if-match", "e", "--json").json() == {"deleted": "d1"}
