"""Zones and registry over HTTP: seeded from the files, changed under If-Match, and in force at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

import reference_data
from storage.sqlite import SqliteStore
from tests.support.geojson import collection, feature, square
from tests.support.http_client import Client

BOX = square(8.0, 47.0, 9.0, 48.0)


@pytest.fixture
def zones_file(tmp_path: Path) -> Path:
    """As the settings of these tests name it."""
    path = tmp_path / "ZONES_FILE"
    path.write_bytes(orjson.dumps(collection(feature(BOX, id="from-file"))))
    return path


async def put_zones(ask: Client, document: Any, tag: str | None) -> Any:
    return await ask("PUT", "/api/zones", document, {} if tag is None else {"If-Match": tag})


async def test_the_file_is_in_force_until_the_first_change(ask: Client, store: SqliteStore, zones_file: Path) -> None:
    first = await ask.get("/api/zones")
    assert [one["id"] for one in first.json()["features"]] == ["from-file"]
    assert (await ask.get("/api/zones/versions")).json()["items"] == []
    assert (await ask.get("/api/zones", if_none_match=first.headers["etag"])).status == 304

    put = await put_zones(ask, collection(feature(BOX, id="mine", floor=5, note="kept")), first.headers["etag"])
    assert put.status == 200
    assert put.json()["features"][0]["properties"] == {
        "id": "mine", "name": "Zone", "kind": "no_fly", "floor": 5, "ceiling": None, "note": "kept",
    }  # fmt: skip
    read = await ask.get("/api/zones")
    assert (read.json(), read.headers["etag"]) == (put.json(), put.headers["etag"])
    zones = reference_data.get_reference_data().zones
    assert zones is not None
    assert [zone.id for zone in zones.zones] == ["mine"]
    # The file counts no more.
    zones_file.write_bytes(orjson.dumps(collection()))
    assert [one["id"] for one in (await ask.get("/api/zones")).json()["features"]] == ["mine"]


async def test_a_change_names_what_was_read(ask: Client, store: SqliteStore) -> None:
    tag = (await ask.get("/api/zones")).headers["etag"]
    assert (await put_zones(ask, collection(), None)).status == 428
    assert (await put_zones(ask, collection(), '"other"')).status == 412
    assert (await put_zones(ask, collection(feature(BOX)), tag)).status == 200
    stale = await put_zones(ask, collection(), tag)
    assert stale.status == 412
    assert len((await ask.get("/api/zones")).json()["features"]) == 1


async def test_every_broken_rule_is_told_with_its_place_and_nothing_changes(ask: Client, store: SqliteStore) -> None:
    tag = (await ask.get("/api/zones")).headers["etag"]
    bow = {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}
    hole = {"type": "Polygon", "coordinates": [BOX["coordinates"][0], [[8.1, 47.1], [8.2, 47.1], [8.1, 47.1]]]}
    document = collection(
        feature(bow, id="a"),
        feature(hole, id="b", kind="nofly", floor=20, ceiling=10),
        feature(BOX, id="a"),
        feature({"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1]]]}, id="c"),
        feature(square(470, 8, 480, 9), id="d"),
    )
    answer = await put_zones(ask, document, tag)
    assert answer.status == 400
    told = [(e["feature"], e["id"], e["ring"], e["detail"]) for e in answer.json()["errors"]]
    places = [one[:3] for one in told]
    assert places == [
        (0, "a", 0),
        (1, "b", None),
        (1, "b", None),
        (1, "b", 1),
        (2, "a", None),
        (3, "c", 0),
        (4, "d", 0),
    ]
    words = ["crosses itself", "kind", "above the ceiling", "four", "twice", "not closed", "outside"]
    assert all(word in one[3] for word, one in zip(words, told, strict=True))
    assert (await ask.get("/api/zones")).headers["etag"] == tag


async def test_versions_are_kept_and_restored(ask: Client, store: SqliteStore, zones_file: Path) -> None:
    tag = (await ask.get("/api/zones")).headers["etag"]
    for name in ("one", "two"):
        tag = (await put_zones(ask, collection(feature(BOX, id=name)), tag)).headers["etag"]
    listed = (await ask.get("/api/zones/versions")).json()["items"]
    assert [(one["version"], one["by"]) for one in listed] == [(3, None), (2, None), (1, "file")]
    assert (await ask.get("/api/zones/versions/2")).json()["features"][0]["id"] == "one"
    assert (await ask.get("/api/zones/versions/9")).status == 404
    assert (await ask.get("/api/zones/versions/x")).status == 404
    restored = await ask.post("/api/zones/versions/1/restore")
    assert restored.json()["features"][0]["id"] == "from-file"
    assert (await ask.get("/api/zones")).json() == restored.json()
    assert (await ask.get("/api/zones/versions")).json()["items"][0]["version"] == 4


async def test_a_restore_that_names_what_was_read_is_held_to_it(ask: Client, store: SqliteStore) -> None:
    first = (await ask.get("/api/zones")).headers["etag"]
    second = (await put_zones(ask, collection(feature(BOX, id="one")), first)).headers["etag"]
    path = "/api/zones/versions/1/restore"
    assert (await ask("POST", path, None, {"If-Match": first})).status == 412
    assert (await ask.get("/api/zones")).headers["etag"] == second
    assert (await ask("POST", path, None, {"If-Match": second})).status == 200


async def test_a_ring_across_the_antimeridian_comes_back_as_it_was_drawn(ask: Client, store: SqliteStore) -> None:
    ring = [[179.8, -18], [-179.8, -18], [-179.8, -17], [179.8, -17], [179.8, -18]]
    drawn = {"type": "Polygon", "coordinates": [ring]}
    tag = (await ask.get("/api/zones")).headers["etag"]
    assert (await put_zones(ask, collection(feature(drawn)), tag)).status == 200
    assert (await ask.get("/api/zones")).json()["features"][0]["geometry"] == drawn


async def test_a_registration_is_made_changed_and_taken_out(ask: Client, store: SqliteStore) -> None:
    made = await ask("PUT", "/api/registry/d-1", {"name": "Falcon", "home": {"latitude": 47, "longitude": 8}})
    assert made.status == 201
    assert made.json()["id"] == "d-1"
    read = await ask.get("/api/registry/d-1")
    assert (read.json(), read.headers["etag"]) == (made.json(), made.headers["etag"])
    assert (await ask.get("/api/registry/d-1", if_none_match=read.headers["etag"])).status == 304
    assert (await ask("PUT", "/api/registry/d-1", {"name": "x"})).status == 428
    assert (await ask("PUT", "/api/registry/d-1", {"name": "x"}, {"If-Match": '"other"'})).status == 412
    assert (await ask("PUT", "/api/registry/d-1", {"name": "x"}, {"If-None-Match": "*"})).status == 412
    changed = await ask("PUT", "/api/registry/d-1", {"name": "x"}, {"If-Match": read.headers["etag"]})
    assert (changed.status, changed.json()["name"]) == (200, "x")
    registry = reference_data.get_reference_data().registry
    assert registry is not None
    assert registry.drones["d-1"]["name"] == "x"
    assert [one["id"] for one in (await ask.get("/api/registry")).json()["items"]] == ["d-1"]
    assert (await ask("DELETE", "/api/registry/d-1")).status == 428
    assert (await ask("DELETE", "/api/registry/d-1", None, {"If-Match": read.headers["etag"]})).status == 412
    gone = await ask("DELETE", "/api/registry/d-1", None, {"If-Match": changed.headers["etag"]})
    assert (gone.status, gone.body) == (204, b"")
    assert (await ask.get("/api/registry/d-1")).status == 404


async def test_the_registry_comes_page_by_page(ask: Client, store: SqliteStore) -> None:
    for drone in ("b", "c", "a"):
        assert (await ask("PUT", f"/api/registry/{drone}", {})).status == 201
    first = await ask.get("/api/registry?limit=2")
    token = first.json()["continuation"]
    rest = await ask.get(f"/api/registry?limit=2&continuation={token}")
    assert [[one["id"] for one in page.json()["items"]] for page in (first, rest)] == [["a", "b"], ["c"]]
    assert rest.json()["continuation"] is None
    assert first.headers["etag"] == rest.headers["etag"] == (await ask.get("/api/registry")).headers["etag"]
    assert (await ask.get("/api/registry?limit=0")).status == 400
    assert (await ask.get("/api/registry?continuation=abc")).status == 400


async def test_zones_whose_positions_say_more_than_a_place_are_taken(ask: Client, store: SqliteStore) -> None:
    entry = feature({"type": "Polygon", "coordinates": [[[0, 0], [1, 0, 5], [1, 1, 5, 7], [0, 0]]]}, id="z")
    tag = (await ask.get("/api/zones")).headers["etag"]
    assert (await ask("PUT", "/api/zones", collection(entry), {"If-Match": tag})).status == 200


@pytest.mark.parametrize("tag", ["as read", "*"])
async def test_a_change_of_what_was_taken_out_meanwhile_does_not_bring_it_back(
    ask: Client, store: SqliteStore, tag: str
) -> None:
    read = (await ask("PUT", "/api/registry/d-1", {})).headers["etag"]
    assert (await ask("DELETE", "/api/registry/d-1", None, {"If-Match": read})).status == 204
    late = await ask("PUT", "/api/registry/d-1", {"name": "x"}, {"If-Match": read if tag == "as read" else tag})
    assert late.status == 412
    assert (await ask.get("/api/registry/d-1")).status == 404
    assert (await ask("PUT", "/api/registry/d-1", {"name": "x"})).status == 201


async def test_the_files_registrations_are_taken_over_with_the_first_change(
    ask: Client, store: SqliteStore, tmp_path: Path
) -> None:
    (tmp_path / "REGISTRY_FILE").write_bytes(orjson.dumps([{"id": "old", "name": "from the file"}]))
    reference_data.forget()
    assert [one["id"] for one in (await ask.get("/api/registry")).json()["items"]] == ["old"]
    assert (await ask("PUT", "/api/registry/new", {})).status == 201
    assert [one["id"] for one in (await ask.get("/api/registry")).json()["items"]] == ["new", "old"]
    assert (await ask.get("/api/registry/old")).json()["name"] == "from the file"


@pytest.mark.parametrize(
    ("body", "field"),
    [({"home": {"latitude": 91, "longitude": 8}}, "home.latitude"), ({"name": 5}, "name"), ({"id": "other"}, "id")],
)
async def test_a_wrong_registration_names_its_field(ask: Client, store: SqliteStore, body: Any, field: str) -> None:
    answer = await ask("PUT", "/api/registry/d-1", body)
    assert answer.status == 400
    assert answer.json()["errors"][0]["field"] == field
    assert (await ask.get("/api/registry")).json()["items"] == []


@pytest.mark.parametrize(
    ("home", "said"),
    [
        ({"latitude": True, "longitude": 8}, "not a boolean"),
        ({"latitude": 47}, "not null"),
        ({"latitude": 47, "longitude": 200}, "not 200"),
        ({"latitude": 47, "longitude": 8, "altitude": []}, "not an array"),
        ({"latitude": 47, "longitude": 8, "altitudeReference": None}, "not null"),
    ],
)
async def test_a_wrong_home_is_told_in_the_words_of_json(ask: Client, store: SqliteStore, home: Any, said: str) -> None:
    answer = await ask("PUT", "/api/registry/d-1", {"home": home})
    assert answer.status == 400
    assert answer.json()["detail"].endswith(said)


async def test_another_process_learns_of_it_when_it_asks_again(
    ask: Client, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await reference_data.refresh(store)
    tag = (await ask.get("/api/zones")).headers["etag"]
    await put_zones(ask, collection(feature(BOX, id="mine")), tag)
    reference_data.forget()  # as another process, which has not asked yet
    before = reference_data.get_reference_data().zones
    assert before is not None
    assert before.zones == ()
    await reference_data.refresh(store)
    after = reference_data.get_reference_data().zones
    assert after is not None
    assert [zone.id for zone in after.zones] == ["mine"]
    assert reference_data.REFRESH_SECONDS < 10
