"""The web page's files: headers, caching, and nothing but what was built."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from http_api import web_page
from http_api.web_page import security_headers
from tests.support import states
from tests.support.http_client import Client

SCRIPT = b"console.log('hello')"


@pytest.fixture
def dist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>Fleet</title>")
    (folder / "assets" / "app-4IJ7KJ3K.js").write_bytes(SCRIPT)
    (folder / "assets" / "icon.svg").write_text("<svg/>")
    (folder / "secret.txt").write_text("secret")
    (tmp_path / "outside.txt").write_text("secret")
    (folder / "assets" / "link.txt").symlink_to(tmp_path / "outside.txt")
    monkeypatch.setattr(web_page, "DIST", folder)
    monkeypatch.setattr(web_page, "_cached", None)
    return folder


async def test_the_page_has_its_type_and_security_headers(ask: Client, dist: Path) -> None:
    answer = await ask.get("/?drone=drone-1")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert b"Fleet" in answer.body
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "style-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    # A tile server is told the origin and no more; OpenStreetMap refuses who says nothing.
    assert answer.headers["referrer-policy"] == "strict-origin-when-cross-origin"
    assert answer.headers["cache-control"] == "no-cache"
    assert "access-control-allow-origin" not in answer.headers


async def test_what_never_changes_under_its_name_is_kept_by_browsers(ask: Client, dist: Path) -> None:
    script = await ask.get("/assets/app-4IJ7KJ3K.js")
    icon = await ask.get("/assets/icon.svg")
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "immutable" in script.headers["cache-control"]
    assert script.headers["x-content-type-options"] == "nosniff"
    assert icon.headers["content-type"] == "image/svg+xml"
    assert icon.headers["cache-control"] == "no-cache"


async def test_nothing_new_is_304(ask: Client, dist: Path) -> None:
    tag = (await ask.get("/")).headers["etag"]
    again = await ask.get("/", if_none_match=tag)
    assert (again.status, again.body) == (304, b"")
    (dist / "index.html").write_text("<!doctype html><title>Another</title>")
    assert (await ask.get("/", if_none_match=tag)).status == 200


async def test_text_is_compressed_for_those_who_take_it(ask: Client, dist: Path) -> None:
    zipped = await ask.get("/assets/app-4IJ7KJ3K.js", accept_encoding="br, gzip;q=0.5")
    assert zipped.headers["content-encoding"] == "gzip"
    assert gzip.decompress(zipped.body) == SCRIPT
    plain = await ask.get("/assets/app-4IJ7KJ3K.js", accept_encoding="gzip;q=0")
    assert plain.body == SCRIPT
    assert "content-encoding" not in plain.headers
    assert plain.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    "path",
    [
        "nothing.js",
        "../secret.txt",
        "..%2Fsecret.txt",
        "%2e%2e/secret.txt",
        "..%5Csecret.txt",
        "/etc/passwd",
        "%2Fetc%2Fpasswd",
        "link.txt",
        "icon.svg%00.js",
        "icon.svg/",
        "./icon.svg",
        "",
    ],
)
async def test_no_path_leads_elsewhere(ask: Client, dist: Path, path: str) -> None:
    answer = await ask.get(f"/assets/{path}")
    assert answer.status == 404
    assert b"secret" not in answer.body.replace(b"secret.txt", b"")


async def test_a_page_that_is_not_built_says_how_to_build_it(
    ask: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_page, "DIST", tmp_path / "none")
    answer = await ask.get("/")
    assert answer.status == 404
    assert "make web" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://tile.example.org/{z}/{x}/{y}.png", " https://tile.example.org"),
        ("https://{a-c}.tile.example.org/{z}/{x}/{y}.png?key=1", " https://*.tile.example.org"),
        ("http://localhost:8080/{z}/{x}/{y}.png", " http://localhost:8080"),
        ("javascript:alert(1)", ""),
        ("https://evil.example; script-src *", ""),
        (None, ""),
    ],
)
def test_map_tiles_are_let_in_from_the_one_place_of_the_setting(url: str | None, origin: str) -> None:
    policy = security_headers(url)["Content-Security-Policy"].split("; ")
    assert f"img-src 'self' data: blob:{origin}" in policy
    assert f"connect-src 'self'{origin}" in policy


async def test_the_pages_settings_are_open_and_hold_no_secret(ask: Client, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("MAP_TILES_URL", "https://tile.example.org/{z}/{x}/{y}.png")
    environment.setenv("MAP_TILES_ATTRIBUTION", "© Example contributors")
    environment.setenv("COSMOS_KEY", "SECRET")
    answer = await ask.get("/api/config")
    assert answer.json() == {
        "mapTilesUrl": "https://tile.example.org/{z}/{x}/{y}.png",
        "mapTilesAttribution": "© Example contributors",
        "mapPmtilesUrl": None,
        "lowBattery": 0.2,
        "staleSeconds": 30,
        "offlineSeconds": 300,
        "altitudeLimitMetres": 120,
        "authMode": "none",
    }


async def test_the_zones_in_force_are_given_as_geojson(
    ask: Client, tmp_path: Path, environment: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "zones.geojson"
    file.write_text(json.dumps(states.ZONES))
    environment.setenv("ZONES_FILE", str(file))
    answer = await ask.get("/api/zones")
    (feature,) = answer.json()["features"]
    assert answer.headers["content-type"] == "application/geo+json"
    assert feature["properties"] == {
        "id": "airport",
        "name": "Airport",
        "kind": "no_fly",
        "floor": None,
        "ceiling": 300,
    }
    assert feature["geometry"] == states.ZONES["features"][0]["geometry"]
