"""The descriptions: of the API, and of a telemetry message."""

from __future__ import annotations

import azure.functions as func

from http_api.endpoint import Api, Call
from http_api.openapi import DOCUMENT
from http_api.responses import json_response
from settings import get_settings
from telemetry.schema import message_schema

api = Api()


@api.route("GET", "/api/openapi.json", role=None)
async def get_openapi(call: Call) -> func.HttpResponse:
    return json_response(DOCUMENT)


SCHEMA_JSON = "application/schema+json"


@api.route("GET", "/api/schemas/telemetry.json", role=None)
async def get_telemetry_schema(call: Call) -> func.HttpResponse:
    """With the ranges that the settings give."""
    described = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Telemetry message",
        **message_schema(get_settings().rules),
    }
    return json_response(described, mimetype=SCHEMA_JSON)
