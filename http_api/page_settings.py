"""What the web page asks for beside the data: settings that everybody may know."""

from __future__ import annotations

import azure.functions as func

from http_api.endpoint import Api, Call
from http_api.responses import json_response
from settings import get_settings

api = Api()


@api.route("GET", "/api/config", role=None)
async def get_page_settings(call: Call) -> func.HttpResponse:
    settings = get_settings()
    rules = settings.rules
    return json_response(
        {
            "mapTilesUrl": settings.map_tiles_url,
            "mapTilesAttribution": settings.map_tiles_attribution,
            "lowBattery": rules.low_battery,
            "staleSeconds": rules.stale_after_seconds,
            "offlineSeconds": rules.offline_after_seconds,
            "altitudeLimitMetres": rules.altitude_limit,
            "authMode": settings.auth_mode,
        }
    )
