"""Roles on the running host: the header arrives, and counts only where App Service authentication is on."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from tools.local_host import LocalHost

pytestmark = pytest.mark.e2e


def principal(*roles: str) -> dict[str, str]:
    document = {"role_typ": "roles", "claims": [{"typ": "roles", "val": role} for role in roles]}
    return {"X-MS-CLIENT-PRINCIPAL": base64.b64encode(json.dumps(document).encode()).decode()}


def test_only_the_role_opens_the_door(tmp_path: Path) -> None:
    settings = {"AUTH_MODE": "app-service", "WEBSITE_AUTH_ENABLED": "True"}
    with LocalHost(tmp_path / "data", settings=settings) as host:
        for path, role in (("/api/drones", "GetStatus"), ("/api/stats", "Operate"), ("/api/batches", "Operate")):
            assert host.request("GET", path).status == 401
            assert host.request("GET", path, headers=principal("SendTelemetry")).status == 403
            assert host.request("GET", path, headers=principal(role)).status == 200
        message = {"deviceId": "drone-1"}
        assert host.request("POST", "/api/telemetry", message, headers=principal("GetStatus")).status == 403
        assert host.request("POST", "/api/telemetry", message, headers=principal("SendTelemetry")).status == 202
        for path in ("/api/health", "/api/openapi.json", "/api/config"):
            assert host.request("GET", path).status == 200
