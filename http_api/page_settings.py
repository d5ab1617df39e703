"""What the web page asks for beside the data: settings that everybody may know, and the zones to draw."""

from __future__ import annotations

from typing import Any

import azure.functions as func
from shapely.geometry import mapping

from http_api.authorization import Role
from http_api.endpoint import Api, Call
from http_api.responses import json_response
from reference_data import get_reference_data
from settings import get_settings
from telemetry.export import GEO_JSON
from telemetry.zones import Zones

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


@api.route("GET", "/api/zones", role=Role.GET_STATUS)
async def get_zones(call: Call) -> func.HttpResponse:
    return json_response(feature_collection(get_reference_data().zones), mimetype=GEO_JSON)


def feature_collection(zones: Zones | None) -> dict[str, Any]:
    """The zones in force, which a broken file does not change, as GeoJSON."""
    features = []
    if zones is not None:
        for zone, shape in zip(zones.zones, zones.shapes, strict=True):
            properties = {
                "id": zone.id,
                "name": zone.name,
                "kind": zone.kind,
                "floor": zone.floor,
                "ceiling": zone.ceiling,
            }
            features.append({"type": "Feature", "id": zone.id, "geometry": mapping(shape), "properties": properties})
    return {"type": "FeatureCollection", "features": features}
