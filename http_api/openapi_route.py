"""The description of the API, as JSON."""

from __future__ import annotations

import azure.functions as func

from http_api.endpoint import Api, Call
from http_api.openapi import DOCUMENT
from http_api.responses import json_response

api = Api()


@api.route("GET", "/api/openapi.json", role=None)
async def get_openapi(call: Call) -> func.HttpResponse:
    return json_response(DOCUMENT)
