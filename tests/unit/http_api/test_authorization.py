"""Who may: every route with every kind of caller, and nothing is read before that is settled."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest

import http_api
import storage.factory
from durable_sdk.v1 import entities
from http_api.authorization import Role
from http_api.endpoint import Endpoint
from http_api.origin import SAFE_METHODS
from settings import APP_ROOT, SettingError, read_settings
from tests.support.extension import Extension
from tests.support.http_client import Client

# As the contract says, by hand: a new route has to be put here.
ROLES = {
    "GET /api/drones": Role.GET_STATUS,
    "GET /api/drones/{id}": Role.GET_STATUS,
    "GET /api/drones/{id}/history": Role.GET_STATUS,
    "GET /api/drones/{id}/flights": Role.GET_STATUS,
    "GET /api/flights": Role.GET_STATUS,
    "GET /api/flights/{id}": Role.GET_STATUS,
    "GET /api/flights/{id}/track": Role.GET_STATUS,
    "GET /api/alerts": Role.GET_STATUS,
    "GET /api/alerts/{id}": Role.GET_STATUS,
    "POST /api/alerts/{id}/acknowledge": Role.OPERATE,
    "POST /api/alerts/{id}/notify": Role.OPERATE,
    "GET /api/v1/dronestatus/{deviceid?}": Role.GET_STATUS,
    "GET /api/GetStatusFunction": Role.GET_STATUS,
    "GET /api/zones": Role.GET_STATUS,
    "PUT /api/zones": Role.OPERATE,
    "GET /api/zones/versions": Role.GET_STATUS,
    "GET /api/zones/versions/{version}": Role.GET_STATUS,
    "POST /api/zones/versions/{version}/restore": Role.OPERATE,
    "GET /api/registry": Role.GET_STATUS,
    "GET /api/registry/{id}": Role.GET_STATUS,
    "PUT /api/registry/{id}": Role.OPERATE,
    "DELETE /api/registry/{id}": Role.OPERATE,
    "POST /api/telemetry": Role.SEND_TELEMETRY,
    "GET /api/batches": Role.OPERATE,
    "GET /api/batches/{id}": Role.OPERATE,
    "GET /api/batches/{id}/instance": Role.OPERATE,
    "POST /api/batches/{id}/replay": Role.OPERATE,
    "POST /api/batches/replay": Role.OPERATE,
    "GET /api/deadletters": Role.OPERATE,
    "GET /api/deadletters/{id}": Role.OPERATE,
    "POST /api/deadletters/{id}/replay": Role.OPERATE,
    "POST /api/deadletters/replay": Role.OPERATE,
    "POST /api/deadletters/{id}/discard": Role.OPERATE,
    "POST /api/deadletters/{id}/check": Role.OPERATE,
    "POST /api/deadletters/{id}/correct": Role.OPERATE,
    "GET /api/deadletter-groups": Role.OPERATE,
    "GET /api/instances": Role.OPERATE,
    "GET /api/instances/{id}": Role.OPERATE,
    "DELETE /api/instances/{id}": Role.OPERATE,
    "POST /api/instances/{id}/suspend": Role.OPERATE,
    "POST /api/instances/{id}/resume": Role.OPERATE,
    "POST /api/instances/{id}/terminate": Role.OPERATE,
    "POST /api/instances/{id}/restart": Role.OPERATE,
    "GET /api/stats": Role.OPERATE,
    "GET /api/stats/history": Role.OPERATE,
    "GET /api/recovery": Role.OPERATE,
    "POST /api/recovery": Role.OPERATE,
    "GET /api/health": None,
    "GET /api/openapi.json": None,
    "GET /api/schemas/telemetry.json": None,
    "GET /api/config": None,
    "GET /api/me": None,
    "GET /api/map.pmtiles": Role.GET_STATUS,
    "GET /": None,
    "GET /assets/{*path}": None,
}


def principal(*roles: str, claim_type: str = "roles", role_type: str | None = "roles") -> str:
    document: dict[str, Any] = {
        "auth_typ": "aad",
        "name_typ": "name",
        "claims": [{"typ": "name", "val": "Ann"}, *({"typ": claim_type, "val": role} for role in roles)],
    }
    if role_type is not None:
        document["role_typ"] = role_type
    return base64.b64encode(json.dumps(document).encode()).decode()


CALLERS = {
    "nobody": None,
    "garbage": "%%%",
    "no roles": principal(),
    **{role.value: principal(role.value) for role in Role},
    "all roles": principal(*(role.value for role in Role)),
}


def expected(caller: str, role: Role | None) -> int | None:
    """None: let in."""
    if role is None or caller in (role.value, "all roles"):
        return None
    return 401 if caller in ("nobody", "garbage") else 403


@pytest.fixture
def app_service(environment: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    environment.setenv("AUTH_MODE", "app-service")
    environment.setenv("WEBSITE_AUTH_ENABLED", "True")
    return environment


def test_the_security_page_says_who_may_of_every_route() -> None:
    """Its tables' rows: routes, who locally, who in Azure."""
    said: dict[str, tuple[str, str]] = {}
    for line in (APP_ROOT / "docs" / "security.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        for route in re.findall(r"`((?:GET|POST|PUT|DELETE) /[^`]*)`", cells[0]) if len(cells) == 3 else ():
            said[route] = (cells[1], cells[2])
    for endpoint in http_api.endpoints:
        path = endpoint.path.replace("{deviceid?}", "{deviceid}").replace("{*path}", "{path}")
        assert f"{endpoint.method} {path}" in said, f"docs/security.md does not say who may: {endpoint.method} {path}"
        locally, in_azure = said[f"{endpoint.method} {path}"]
        assert in_azure.startswith("everybody" if endpoint.role is None else f"role `{endpoint.role.value}`"), path
        assert ("other sites' pages" in locally) == (endpoint.method not in SAFE_METHODS), path


def test_every_route_stands_in_the_table_with_its_role() -> None:
    assert {f"{endpoint.method} {endpoint.path}": endpoint.role for endpoint in http_api.endpoints} == ROLES


@pytest.mark.parametrize("endpoint", http_api.endpoints, ids=lambda endpoint: endpoint.name)
async def test_every_route_lets_in_exactly_its_role(
    ask: Client, app_service: pytest.MonkeyPatch, endpoint: Endpoint
) -> None:
    for caller, header in CALLERS.items():
        answer = await ask(
            endpoint.method, _url(endpoint), headers={} if header is None else {"X-MS-CLIENT-PRINCIPAL": header}
        )
        refused = expected(caller, endpoint.role)
        if refused is None:
            assert answer.status not in (401, 403), caller
        else:
            assert (answer.status, answer.headers["content-type"]) == (refused, "application/problem+json"), caller
            assert ("www-authenticate" in answer.headers) == (refused == 401)


@pytest.mark.parametrize(
    "endpoint", [e for e in http_api.endpoints if e.role is not None], ids=lambda endpoint: endpoint.name
)
async def test_nothing_is_read_before(
    extension: Extension,
    app_service: pytest.MonkeyPatch,
    monkeypatch: pytest.MonkeyPatch,
    endpoint: Endpoint,
) -> None:
    def touched(*_: Any, **__: Any) -> None:
        raise AssertionError("something was read")

    monkeypatch.setattr(storage.factory, "_store", None)
    monkeypatch.setattr(storage.factory, "open_store", touched)
    monkeypatch.setattr(entities, "session", touched)
    ask = Client(extension)
    for header in ({}, {"x-ms-client-principal": principal("Other")}):
        # Not even the parameters: what is wrong with them is no stranger's business.
        answer = await ask(endpoint.method, _url(endpoint) + "?colour=red", headers=header)
        assert answer.status == (403 if header else 401)
    assert extension.requests == []


def _url(endpoint: Endpoint) -> str:
    return endpoint.path.replace("{id}", "x").replace("{deviceid?}", "x").replace("{*path}", "x.js")


@pytest.mark.parametrize(
    "header",
    [
        principal("GetStatus", claim_type="roles", role_type=None),
        principal("GetStatus", claim_type="http://schemas/role", role_type="http://schemas/role"),
        principal("GetStatus", claim_type="roles", role_type="http://schemas/role"),
    ],
)
async def test_role_claims_are_of_type_roles_or_of_the_principals_own(
    ask: Client, app_service: pytest.MonkeyPatch, header: str
) -> None:
    assert (await ask.get("/api/drones", x_ms_client_principal=header)).status == 200


async def test_a_claim_of_another_type_is_no_role(ask: Client, app_service: pytest.MonkeyPatch) -> None:
    header = principal("GetStatus", claim_type="groups")
    assert (await ask.get("/api/drones", x_ms_client_principal=header)).status == 403


@pytest.mark.parametrize("document", ["{}", "[]", "null", '{"claims": {}}', '{"claims": [1]}', "{", '"x"'])
async def test_a_principal_that_does_not_parse_is_401(
    ask: Client, app_service: pytest.MonkeyPatch, document: str
) -> None:
    header = base64.b64encode(document.encode()).decode()
    assert (await ask.get("/api/drones", x_ms_client_principal=header)).status == 401


@pytest.mark.parametrize("value", [None, "False", "0", ""])
async def test_without_app_service_authentication_the_header_proves_nothing(
    ask: Client, app_service: pytest.MonkeyPatch, value: str | None
) -> None:
    if value is None:
        app_service.delenv("WEBSITE_AUTH_ENABLED")
    else:
        app_service.setenv("WEBSITE_AUTH_ENABLED", value)
    answer = await ask.get("/api/drones", x_ms_client_principal=principal("GetStatus"))
    assert answer.status == 401


@pytest.mark.parametrize(
    ("caller", "said"),
    [
        ("nobody", {"signedIn": False, "name": None, "roles": []}),
        ("garbage", {"signedIn": False, "name": None, "roles": []}),
        ("no roles", {"signedIn": True, "name": "Ann", "roles": []}),
        ("Operate", {"signedIn": True, "name": "Ann", "roles": ["Operate"]}),
        ("all roles", {"signedIn": True, "name": "Ann", "roles": ["GetStatus", "SendTelemetry", "Operate"]}),
    ],
)
async def test_callers_are_told_who_they_are_and_what_they_may(
    ask: Client, app_service: pytest.MonkeyPatch, caller: str, said: dict[str, Any]
) -> None:
    header = CALLERS[caller]
    answer = await ask.get("/api/me", **({} if header is None else {"x_ms_client_principal": header}))
    assert (answer.status, answer.json()) == (200, said)


async def test_who_may_everything_without_signing_in_is_told_so(ask: Client) -> None:
    answer = await ask.get("/api/me", x_ms_client_principal=principal("GetStatus"))
    assert answer.json() == {"signedIn": False, "name": None, "roles": [role.value for role in Role]}


async def test_nobody_is_told_by_a_header_that_proves_nothing(ask: Client, app_service: pytest.MonkeyPatch) -> None:
    app_service.delenv("WEBSITE_AUTH_ENABLED")
    answer = await ask.get("/api/me", x_ms_client_principal=principal("Operate"))
    assert answer.json() == {"signedIn": False, "name": None, "roles": []}


async def test_a_role_that_this_app_does_not_know_is_not_told(ask: Client, app_service: pytest.MonkeyPatch) -> None:
    answer = await ask.get("/api/me", x_ms_client_principal=principal("Emperor", "Operate"))
    assert answer.json()["roles"] == ["Operate"]


def test_no_check_is_refused_in_azure_unless_it_is_asked_for() -> None:
    in_azure = {"WEBSITE_INSTANCE_ID": "1"}
    with pytest.raises(SettingError, match="AUTH_MODE"):
        read_settings(in_azure)
    assert read_settings({**in_azure, "ALLOW_ANONYMOUS_IN_AZURE": "1"}).auth_mode == "none"
    assert read_settings({**in_azure, "AUTH_MODE": "app-service"}).auth_mode == "app-service"
