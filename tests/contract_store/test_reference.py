"""Zones and registry in the store: versions, conditional changes, and one revision that tells of them."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.ports import Conflict, RegistrationRecord, Store, ZonesVersion
from tests.support.records import at


def zones(version: int, **document: Any) -> ZonesVersion:
    return ZonesVersion(version, at(version), f"user-{version}", {"type": "FeatureCollection", **document})


def drone(device_id: str, **fields: Any) -> dict[str, Any]:
    return {"id": device_id, "name": None, "home": None, **fields}


async def test_nothing_is_there_before_the_first_change(store: Store) -> None:
    assert await store.reference.revision() == ""
    assert await store.reference.zones() is None
    assert await store.reference.registry() is None
    assert (await store.reference.zone_versions(10, None)).items == []


async def test_zones_have_versions_one_after_another(store: Store) -> None:
    first, second = zones(1, features=[]), zones(2, features=[{"ü": 1.5, "n": 2**53 + 1}])
    await store.reference.put_zones(first)
    revision = await store.reference.revision()
    with pytest.raises(Conflict):
        await store.reference.put_zones(zones(1, features=["other"]))
    with pytest.raises(Conflict):
        await store.reference.put_zones(zones(3))
    assert await store.reference.zones() == first
    assert await store.reference.revision() == revision
    await store.reference.put_zones(second)
    assert await store.reference.revision() != revision
    assert await store.reference.zones() == second
    assert await store.reference.zones(1) == first
    assert await store.reference.zones(9) is None


async def test_versions_are_listed_newest_first_in_pages(store: Store) -> None:
    for version in range(1, 6):
        await store.reference.put_zones(zones(version))
    page = await store.reference.zone_versions(3, None)
    assert [(one.version, one.at, one.by) for one in page.items] == [(n, at(n), f"user-{n}") for n in (5, 4, 3)]
    assert page.continuation is not None
    rest = await store.reference.zone_versions(3, page.continuation)
    assert [one.version for one in rest.items] == [2, 1]
    assert rest.continuation is None


async def test_the_registry_is_taken_over_once(store: Store) -> None:
    entries = [drone(f"d-{n:03d}", name="ö") for n in range(150)]
    await store.reference.take_over(entries)
    await store.reference.take_over([drone("later")])
    assert await store.reference.registry() == [RegistrationRecord(entry, 1) for entry in entries]


async def test_an_empty_registry_is_one(store: Store) -> None:
    await store.reference.take_over([])
    assert await store.reference.registry() == []


async def test_a_registration_is_made_changed_and_deleted_in_the_version_that_is_named(store: Store) -> None:
    await store.reference.take_over([])
    revisions = [await store.reference.revision()]
    made = await store.reference.put_registration(drone("a:b"), None)
    assert made == RegistrationRecord(drone("a:b"), 1)
    with pytest.raises(Conflict):
        await store.reference.put_registration(drone("a:b", name="again"), None)
    revisions.append(await store.reference.revision())
    changed = await store.reference.put_registration(drone("a:b", name="new"), 1)
    assert changed.version == 2
    with pytest.raises(Conflict):
        await store.reference.put_registration(drone("a:b", name="stale"), 1)
    with pytest.raises(Conflict):
        await store.reference.delete_registration("a:b", 1)
    revisions.append(await store.reference.revision())
    assert await store.reference.registry() == [RegistrationRecord(drone("a:b", name="new"), 2)]
    await store.reference.delete_registration("a:b", 2)
    assert await store.reference.registry() == []
    revisions.append(await store.reference.revision())
    assert len(set(revisions)) == len(revisions)
