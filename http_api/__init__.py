"""The HTTP API: thin functions over the store, the drones' entities and the event hub.

``blueprints`` is what ``function_app`` registers, ``endpoints`` the table of all routes with their roles.
"""

from __future__ import annotations

import azure.durable_functions as df

from http_api import (
    alerts,
    batches,
    dead_letters,
    drones,
    flights,
    health,
    history,
    instances,
    map_tiles,
    openapi_route,
    page_settings,
    recovery,
    reference,
    stats,
    telemetry_in,
    web_page,
)
from http_api.endpoint import Api, Endpoint

_APIS: tuple[Api, ...] = (
    drones.api,
    history.api,
    flights.api,
    alerts.api,
    telemetry_in.api,
    batches.api,
    dead_letters.api,
    instances.api,
    stats.api,
    recovery.api,
    health.api,
    openapi_route.api,
    page_settings.api,
    map_tiles.api,
    reference.api,
    web_page.api,
)

blueprints: tuple[df.Blueprint, ...] = tuple(api.blueprint for api in _APIS)
endpoints: tuple[Endpoint, ...] = tuple(endpoint for api in _APIS for endpoint in api.endpoints)

__all__ = ["blueprints", "endpoints"]
