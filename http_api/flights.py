"""Flights: of one drone, of the fleet, and each one by itself."""

from __future__ import annotations

import logging

import azure.functions as func

from http_api.authorization import Role
from http_api.endpoint import Api, Call
from http_api.exporting import Range, export
from http_api.identifiers import device_id, flight_id
from http_api.parameters import Parameter, choice, continuation, instant, limit, seconds
from http_api.problem import not_found
from http_api.responses import json_response
from observability import log
from pipeline.clock import now
from pipeline.flights import keeper_of
from pipeline.ports import Conflict, FlightFilter, Store
from settings import get_settings
from storage.factory import get_store
from telemetry.device_id import DEVICE_ID_PATTERN
from telemetry.export import FORMATS
from telemetry.flights import Flight, show, stamp_of
from telemetry.times import add_seconds

api = Api()
CATCH_UP_SECONDS = 2.0
"""How long a request works in what has been stored since the last look; the timer does the rest."""

PAGING = {"from": instant(), "to": instant(), "limit": limit(), "continuation": continuation()}


def a_device_id(value: str) -> str:
    if DEVICE_ID_PATTERN.fullmatch(value) is None:
        raise ValueError(value)
    return value


@api.route("GET", "/api/drones/{id}/flights", role=Role.GET_STATUS, query=PAGING)
async def list_drone_flights(call: Call) -> func.HttpResponse:
    drone = device_id(call.path["id"])
    store = await up_to_date()
    answer = await _listed(store, call, drone)
    if answer is None:
        any_message = await store.messages.history(drone, None, None, ascending=True, limit=1, continuation=None)
        if not any_message.items:
            raise not_found("drone", drone)
    return answer or json_response({"items": [], "continuation": None})


@api.route(
    "GET",
    "/api/flights",
    role=Role.GET_STATUS,
    query={"deviceId": Parameter(a_device_id, "a device id"), **PAGING},
)
async def list_flights(call: Call) -> func.HttpResponse:
    answer = await _listed(await up_to_date(), call, call.query["deviceId"])
    return answer or json_response({"items": [], "continuation": None})


@api.route("GET", "/api/flights/{id}", role=Role.GET_STATUS)
async def get_flight(call: Call) -> func.HttpResponse:
    flight = await find_flight(await up_to_date(), call)
    return json_response(show(flight, now(), get_settings().flights.rules))


@api.route(
    "GET",
    "/api/flights/{id}/track",
    role=Role.GET_STATUS,
    query={"format": choice(tuple(FORMATS), "geojson"), "every": seconds()},
)
async def get_flight_track(call: Call) -> func.HttpResponse:
    store = await up_to_date()
    flight = await find_flight(store, call)
    return await export(
        store,
        flight["deviceId"],
        Range(flight["startedAt"], add_seconds(flight["lastAt"], 0.000001)),
        call.query["format"],
        every=call.query["every"],
        name=flight["id"],
        # A clock of whole seconds has messages before and after it at the times of its first and its last one.
        only=lambda message: flight["startStamp"] <= stamp_of(message) <= flight["lastStamp"],
    )


async def find_flight(store: Store, call: Call) -> Flight:
    """The flight that the path names. Raises the 404: also for one that has become part of another."""
    found = flight_id(call)
    flight = await store.flights.get(found)
    if flight is None:
        raise not_found("flight", found)
    return flight


async def _listed(store: Store, call: Call, drone: str | None) -> func.HttpResponse | None:
    """The page; None when it is empty and nothing follows."""
    query = call.query
    page = await store.flights.list(
        FlightFilter(drone, query["from"], query["to"]), query["limit"], query["continuation"]
    )
    if not page.items and page.continuation is None:
        return None
    at, rules = now(), get_settings().flights.rules
    return json_response({"items": [show(item, at, rules) for item in page.items], "continuation": page.continuation})


async def up_to_date() -> Store:
    """The store, once what has just been stored is worked into its flights."""
    store = await get_store()
    try:
        await keeper_of(store, get_settings().flights.rules).catch_up(CATCH_UP_SECONDS)
    except Conflict as error:
        # Other processes are at it: what they have done so far is what there is to show.
        log(logging.INFO, "flights are being worked out elsewhere", error=str(error))
    return store
