"""What the web page asks for beside the data: settings that everybody may know, and who its reader is."""

from __future__ import annotations

import azure.functions as func

from http_api.authorization import Role, who_asks
from http_api.endpoint import Api, Call
from http_api.map_tiles import PATH
from http_api.responses import json_response
from settings import get_settings

api = Api()


@api.route("GET", "/api/config", role=None)
async def get_page_settings(call: Call) -> func.HttpResponse:
    settings = get_settings()
    rules = settings.rules
    return json_response(
        {
            "mapTilesUrl": settings.map.tiles_url,
            "mapTilesAttribution": settings.map.tiles_attribution,
            "mapPmtilesUrl": None if settings.map.pmtiles_file is None else PATH,
            "lowBattery": rules.low_battery,
            "staleSeconds": rules.stale_after_seconds,
            "offlineSeconds": rules.offline_after_seconds,
            "altitudeLimitMetres": rules.altitude_limit,
            "authMode": settings.auth_mode,
        }
    )


@api.route("GET", "/api/me", role=None)
async def get_me(call: Call) -> func.HttpResponse:
    caller = who_asks(get_settings(), call.request.headers)
    roles = [role.value for role in Role if role in caller.roles]
    return json_response({"signedIn": caller.signed_in, "name": caller.name, "roles": roles})
