"""Zones and registry as data: read, changed under the entity tag that was read, and the zones' earlier versions."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import azure.functions as func
import orjson

from http_api.authorization import Role, caller_name
from http_api.body import read_json, read_json_object
from http_api.endpoint import Api, Call
from http_api.identifiers import device_id
from http_api.parameters import continuation, limit, whole_number
from http_api.problem import Problem, not_found
from http_api.responses import json_response, matches, not_modified
from pipeline.clock import now
from pipeline.ports import Conflict, Page, Store, ZonesVersion
from reference_data import get_kept, get_reference_data, refresh
from settings import get_settings
from storage.continuation import decode, encode, query_digest
from storage.factory import get_store
from telemetry.registry import InvalidRegistry, Registration, Registry
from telemetry.zone_check import check
from telemetry.zones import Zones

api = Api()
GEO_JSON = "application/geo+json"
SEED = "file"
"""Who made the version that is the file's content, kept when it was first replaced."""

PAGING = {"limit": limit(), "continuation": continuation()}


@api.route("GET", "/api/zones", role=Role.GET_STATUS)
async def get_zones(call: Call) -> func.HttpResponse:
    await refresh(await get_store(), at_once=True)
    document = _zones_in_force()
    headers = {"ETag": _tag(document)}
    if matches(call.request.headers.get("if-none-match"), headers["ETag"]):
        return not_modified(headers)
    return json_response(document, headers=headers, mimetype=GEO_JSON)


@api.route("PUT", "/api/zones", role=Role.OPERATE)
async def put_zones(call: Call) -> func.HttpResponse:
    document = read_json(call.request)
    errors = check(document)
    if errors:
        broken = "1 rule is broken" if len(errors) == 1 else f"{len(errors)} rules are broken"
        raise Problem("invalid-zones", f"{broken}; nothing has changed", errors=errors)
    store = await get_store()
    await refresh(store, at_once=True)
    _check_if_match(call, _tag(_zones_in_force()))
    return await _keep(call, store, _normal(document))


@api.route("GET", "/api/zones/versions", role=Role.GET_STATUS, query=PAGING)
async def list_zone_versions(call: Call) -> func.HttpResponse:
    store = await get_store()
    page: Page[ZonesVersion] = await store.reference.zone_versions(call.query["limit"], call.query["continuation"])
    items = [{"version": one.version, "at": one.at, "by": one.by} for one in page.items]
    return json_response({"items": items, "continuation": page.continuation})


@api.route("GET", "/api/zones/versions/{version}", role=Role.GET_STATUS)
async def get_zone_version(call: Call) -> func.HttpResponse:
    return json_response((await _version(await get_store(), call)).document, mimetype=GEO_JSON)


@api.route("POST", "/api/zones/versions/{version}/restore", role=Role.OPERATE)
async def restore_zone_version(call: Call) -> func.HttpResponse:
    read_json_object(call.request, {})
    store = await get_store()
    old = await _version(store, call)
    await refresh(store, at_once=True)
    if _if_match(call) is not None:
        _check_if_match(call, _tag(_zones_in_force()))
    return await _keep(call, store, old.document)


@api.route("GET", "/api/registry", role=Role.GET_STATUS, query=PAGING)
async def get_registry(call: Call) -> func.HttpResponse:
    await refresh(await get_store(), at_once=True)
    entries = [entry for _, entry in sorted(_registrations().items())]
    # Of all of it, on every page: who reads on under another tag reads another registry.
    headers = {"ETag": _tag(entries)}
    if matches(call.request.headers.get("if-none-match"), headers["ETag"]):
        return not_modified(headers)
    query = query_digest("registry")
    (last,) = decode(query, call.query["continuation"], 1) or ("",)
    rest = [entry for entry in entries if str(entry["id"]) > last]
    page = rest[: call.query["limit"]]
    token = encode(query, str(page[-1]["id"])) if len(rest) > len(page) else None
    return json_response({"items": page, "continuation": token}, headers=headers)


@api.route("GET", "/api/registry/{id}", role=Role.GET_STATUS)
async def get_registration(call: Call) -> func.HttpResponse:
    await refresh(await get_store(), at_once=True)
    entry = _registration(call)
    headers = {"ETag": _tag(entry)}
    if matches(call.request.headers.get("if-none-match"), headers["ETag"]):
        return not_modified(headers)
    return json_response(entry, headers=headers)


@api.route("PUT", "/api/registry/{id}", role=Role.OPERATE)
async def put_registration(call: Call) -> func.HttpResponse:
    drone = device_id(call.path["id"])
    given = read_json(call.request)
    if not isinstance(given, dict):
        raise Problem("invalid-body", "the body is no JSON object")
    if given.get("id", drone) != drone:
        detail = f"allowed: {drone!r}, as in the path, or nothing"
        raise Problem("invalid-body", "the id is another than the path's", errors=[_wrong("id", given["id"], detail)])
    try:
        entry = Registry.parse([{**given, "id": drone}]).drones[drone]
    except InvalidRegistry as error:
        where, _, detail = str(error).removeprefix("drones[0].").partition(": ")
        raise Problem("invalid-body", f"{where}: {detail}", errors=[_wrong(where, None, detail)]) from error
    store = await _with_registry()
    there = _registrations().get(drone)
    if there is not None:
        _check_if_match(call, _tag(there))
    elif _if_match(call) is not None:
        # Somebody changes what another has just taken out: made anew, the removal would be lost.
        raise Problem(
            "precondition-failed", f"there is no registration {drone!r} any more; without If-Match it is made"
        )
    try:
        await store.reference.put_registration(entry, get_kept().versions.get(drone))
    except Conflict as conflict:
        raise Problem("precondition-failed", str(conflict)) from conflict
    await refresh(store, at_once=True)
    return json_response(entry, status=201 if there is None else 200, headers={"ETag": _tag(entry)})


@api.route("DELETE", "/api/registry/{id}", role=Role.OPERATE)
async def delete_registration(call: Call) -> func.HttpResponse:
    read_json_object(call.request, {})
    store = await _with_registry()
    entry = _registration(call)
    _check_if_match(call, _tag(entry))
    try:
        await store.reference.delete_registration(entry["id"], get_kept().versions[entry["id"]])
    except Conflict as conflict:
        raise Problem("precondition-failed", str(conflict)) from conflict
    await refresh(store, at_once=True)
    return func.HttpResponse(b"", status_code=204)


async def _keep(call: Call, store: Store, document: dict[str, Any]) -> func.HttpResponse:
    """A new version of the zones. What the file said is kept as the first one."""
    newest = get_kept().zones_version
    try:
        if newest is None:
            newest = ZonesVersion(1, now(), SEED, _zones_in_force())
            await store.reference.put_zones(newest)
        await store.reference.put_zones(
            ZonesVersion(newest.version + 1, now(), caller_name(get_settings(), call.request.headers), document)
        )
    except Conflict as conflict:
        raise Problem("precondition-failed", str(conflict)) from conflict
    await refresh(store, at_once=True)
    return json_response(document, headers={"ETag": _tag(document)}, mimetype=GEO_JSON)


async def _version(store: Store, call: Call) -> ZonesVersion:
    text = call.path["version"]
    try:
        found = await store.reference.zones(whole_number(text, 1, 10**9))
    except ValueError:
        found = None
    if found is None:
        raise not_found("version of the zones", text)
    return found


async def _with_registry() -> Store:
    """The store, with the file's registrations in it: from now on they are changed there."""
    store = await get_store()
    await refresh(store, at_once=True)
    if get_kept().registry is None:
        await store.reference.take_over(list(_registrations().values()))
        await refresh(store, at_once=True)
    return store


def _registrations() -> Mapping[str, Registration]:
    registry = get_reference_data().registry
    return {} if registry is None else registry.drones


def _registration(call: Call) -> Registration:
    drone = device_id(call.path["id"])
    entry = _registrations().get(drone)
    if entry is None:
        raise not_found("registration", drone)
    return entry


def _zones_in_force() -> dict[str, Any]:
    kept = get_kept().zones_version
    return kept.document if kept is not None else feature_collection(get_reference_data().zones)


def _normal(document: dict[str, Any]) -> dict[str, Any]:
    """The document with every property that a reader may ask for, and its rings as they were drawn."""
    parsed = Zones.parse(document)
    features = [
        {
            "type": "Feature",
            "id": zone.id,
            "geometry": feature["geometry"],
            "properties": {**feature["properties"], **_properties(zone)},
        }
        for zone, feature in zip(parsed.zones, document["features"], strict=True)
    ]
    return {"type": "FeatureCollection", "features": features}


def feature_collection(zones: Zones | None) -> dict[str, Any]:
    """The zones of a file as GeoJSON; no features where there are none."""
    features = []
    if zones is not None:
        for zone, drawn in zip(zones.zones, zones.drawn, strict=True):
            features.append({"type": "Feature", "id": zone.id, "geometry": drawn, "properties": _properties(zone)})
    return {"type": "FeatureCollection", "features": features}


def _properties(zone: Any) -> dict[str, Any]:
    return {name: getattr(zone, name) for name in ("id", "name", "kind", "floor", "ceiling")}


def _if_match(call: Call) -> str | None:
    return call.request.headers.get("if-match") or None


def _check_if_match(call: Call, tag: str) -> None:
    """Whoever changes something says which state of it was read. Raises the 428 or 412 ``Problem``."""
    if matches(call.request.headers.get("if-none-match"), tag):
        raise Problem("precondition-failed", f"it is there already: its ETag is {tag}", headers={"ETag": tag})
    header = _if_match(call)
    if header is None:
        raise Problem(
            "precondition-required", "If-Match is missing: send the ETag that was read; no change is lost then"
        )
    if header.strip() != "*" and tag not in [part.strip() for part in header.split(",")]:
        raise Problem("precondition-failed", f"it has been changed meanwhile: its ETag is {tag}", headers={"ETag": tag})


def _tag(document: Any) -> str:
    content = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
    return f'"{blake2b(content, digest_size=12).hexdigest()}"'


def _wrong(field: str, value: Any, detail: str) -> dict[str, Any]:
    return {"field": field, "value": value, "detail": detail}
