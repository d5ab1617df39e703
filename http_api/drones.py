"""Drones: each one's latest state out of its entity, and the fleet."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any, cast

import azure.functions as func

from durable_sdk import entity_reader
from http_api.authorization import Role
from http_api.endpoint import Api, Call
from http_api.fleet import FleetFilter, list_fleet
from http_api.identifiers import device_id
from http_api.openapi.schemas import DRONE_FIELDS
from http_api.parameters import Parameter, bounding_box, choice, choices, continuation, instant, limit, text
from http_api.problem import Problem, not_found
from http_api.responses import json_response, matches, not_modified
from observability import log
from pipeline.clock import now
from pipeline.freshness import freshness_of
from pipeline.signals import DRONE
from reference_data import get_reference_data
from settings import get_settings
from storage.factory import get_store
from telemetry.model import DroneState
from telemetry.soundness import check_state
from telemetry.view import drone_view, etag, status_v1
from telemetry.vocabulary import ALERT_CODES, CONNECTIVITY, FLIGHT_MODES

api = Api()
View = dict[str, Any]
FIELDS = choices(DRONE_FIELDS)


@api.route("GET", "/api/drones/{id}", role=Role.GET_STATUS, query={"fields": FIELDS}, durable=True)
async def get_drone(call: Call) -> func.HttpResponse:
    state = await _state(call, call.path["id"])
    view = _view_maker()(state)
    # Weak: the age, worked out at reading, differs under the same tag.
    headers = {"ETag": "W/" + etag(state, view), "Cache-Control": "no-cache"}
    if matches(call.request.headers.get("if-none-match"), headers["ETag"]):
        return not_modified(headers)
    return json_response(_select(view, call.query["fields"]), headers=headers)


@api.route(
    "GET",
    "/api/drones",
    role=Role.GET_STATUS,
    query={
        "connectivity": choice(CONNECTIVITY),
        "alert": choice(ALERT_CODES),
        "flightMode": choice(FLIGHT_MODES),
        "zone": text(),
        "bbox": bounding_box(),
        "changedSince": instant(),
        "idPrefix": text(),
        "fields": FIELDS,
        "limit": limit(),
        "continuation": continuation(),
    },
    durable=True,
)
async def list_drones(call: Call) -> func.HttpResponse:
    query = call.query
    where = FleetFilter(
        connectivity=query["connectivity"],
        alert=query["alert"],
        flight_mode=query["flightMode"],
        zone=query["zone"],
        bbox=query["bbox"],
        changed_since=query["changedSince"],
        id_prefix=query["idPrefix"],
    )
    # Before the list: what is flushed meanwhile is newer than it says.
    as_of = await freshness_of(await get_store()).as_of(get_settings().signal_window)
    page = await list_fleet(
        entity_reader(call.client, DRONE), _view_maker(), where, query["limit"], query["continuation"]
    )
    items = [_select(view, query["fields"]) for view in page.items]
    return json_response({"items": items, "continuation": page.continuation, "asOf": as_of})


@api.route("GET", "/api/v1/dronestatus/{deviceid?}", role=Role.GET_STATUS, durable=True)
async def get_drone_status_v1(call: Call) -> func.HttpResponse:
    return await _status_v1(call, call.path.get("deviceid"))


DEVICE_ID = Parameter(lambda value: value, "a device id")


@api.route("GET", "/api/GetStatusFunction", role=Role.GET_STATUS, query={"deviceId": DEVICE_ID}, durable=True)
async def get_status_function(call: Call) -> func.HttpResponse:
    return await _status_v1(call, call.query["deviceId"])


async def _status_v1(call: Call, text: str | None) -> func.HttpResponse:
    if not text:
        raise Problem("invalid-parameter", "Missing DeviceId")
    return json_response(status_v1(await _state(call, text)))


async def _state(call: Call, text: str) -> DroneState:
    freshness = freshness_of(await get_store())
    read = entity_reader(call.client, DRONE).state
    state = await freshness.state(device_id(text), read, get_settings().signal_window)
    if state is None:
        raise not_found("drone", text)
    try:
        check_state(cast(DroneState, state))
    except Exception as error:
        log(logging.ERROR, "not shown: its state is none", deviceId=text, error=repr(error))
        raise not_found("drone", text) from error
    return cast(DroneState, state)


def _view_maker() -> Callable[[DroneState], View]:
    """States to answers, all of one request by the same clock, rules and registry."""
    return functools.partial(drone_view, now=now(), rules=get_settings().rules, registry=get_reference_data().registry)


def _select(view: View, fields: frozenset[str]) -> View:
    """``fields`` empty: all of it."""
    return view if not fields else {name: value for name, value in view.items() if name in fields or name == "id"}
