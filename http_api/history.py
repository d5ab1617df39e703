"""A drone's stored messages: as a list, or as one GeoJSON track."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import azure.functions as func

from durable_sdk import entity_reader
from http_api.authorization import Role
from http_api.endpoint import Api, Call
from http_api.identifiers import device_id
from http_api.parameters import choice, continuation, instant, limit
from http_api.problem import not_found
from http_api.responses import json_response
from pipeline.ports import Page, Store
from pipeline.signals import DRONE
from storage.factory import get_store
from telemetry.model import Message
from telemetry.view import history_item

api = Api()
GEO_JSON = "application/geo+json"


@api.route(
    "GET",
    "/api/drones/{id}/history",
    role=Role.GET_STATUS,
    query={
        "from": instant(),
        "to": instant(),
        "order": choice(("asc", "desc"), "desc"),
        "limit": limit(),
        "continuation": continuation(),
        "format": choice(("json", "geojson"), "json"),
    },
    durable=True,
)
async def get_drone_history(call: Call) -> func.HttpResponse:
    drone = device_id(call.path["id"])
    query = call.query
    store = await get_store()
    page = await store.messages.history(
        drone,
        query["from"],
        query["to"],
        ascending=query["order"] == "asc",
        limit=query["limit"],
        continuation=query["continuation"],
    )
    if not page.items and not await _was_seen(store, call, drone):
        raise not_found("drone", drone)
    if query["format"] == "geojson":
        return json_response(track(drone, page), mimetype=GEO_JSON)
    return json_response(
        {"items": [history_item(message) for message in page.items], "continuation": page.continuation}
    )


async def _was_seen(store: Store, call: Call, drone: str) -> bool:
    """Its entity outlives its messages, and its messages are there a moment before its entity."""
    if await entity_reader(call.client, DRONE).state(drone) is not None:
        return True
    any_time = await store.messages.history(drone, None, None, ascending=True, limit=1, continuation=None)
    return bool(any_time.items)


def track(drone: str, page: Page[Message]) -> dict[str, Any]:
    """A Feature whose LineString has the positions of the page's messages, with their times beside them.

    RFC 7946 has no line of fewer than two positions: one is a Point, and none no geometry.
    """
    coordinates: list[list[float]] = []
    times: list[str] = []
    for message in page.items:
        position: dict[str, Any] = {**message.get("position", {})}
        latitude, longitude, altitude = (position.get(name) for name in ("latitude", "longitude", "altitude"))
        if latitude is None or longitude is None:
            continue
        coordinates.append([longitude, latitude] if altitude is None else [longitude, latitude, altitude])
        times.append(message["time"])
    return {
        "type": "Feature",
        "id": drone,
        "geometry": _geometry(coordinates),
        "properties": {"id": drone, "times": times},
        "continuation": page.continuation,
    }


def _geometry(coordinates: Sequence[list[float]]) -> dict[str, Any] | None:
    if not coordinates:
        return None
    if len(coordinates) == 1:
        return {"type": "Point", "coordinates": coordinates[0]}
    return {"type": "LineString", "coordinates": coordinates}
