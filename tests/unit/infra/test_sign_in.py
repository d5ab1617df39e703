"""The registration script against a Microsoft Graph of a few lines: complete after one run, unchanged by a second."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SCRIPTS = Path(__file__).resolve().parents[3] / "infra" / "scripts"


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


sign_in = script("sign_in")
wait_for_roles = script("wait_for_roles")


class Graph:
    """What ``az rest`` and ``azd env set`` answer; refuses what Graph refuses."""

    def __init__(self) -> None:
        self.applications: list[dict[str, Any]] = []
        self.principals: list[str] = []
        self.environment: dict[str, str] = {}
        self.changes = 0
        self.lagging = 0

    def run(self, command: Sequence[str]) -> str:
        if command[:3] == ["azd", "env", "set"]:
            self.environment[command[3]] = command[4]
            return ""
        given = dict(zip(command[2::2], command[3::2], strict=True))
        body = json.loads(given["--body"]) if "--body" in given else None
        path = given["--url"].removeprefix(sign_in.GRAPH)
        answer = getattr(self, "_" + given["--method"].lower())(path, body)
        return "" if answer is None else json.dumps(answer)

    def _get(self, path: str, _: Any) -> Any:
        matched = re.fullmatch(r"/(applications|servicePrincipals)\?\$filter=(appId|displayName) eq '(.*)'", path)
        assert matched, path
        kind, field, value = matched.groups()
        if kind == "servicePrincipals":
            return {"value": [{"appId": known} for known in self.principals if known == value]}
        return {"value": [known for known in self.applications if known[field] == value]}

    def _post(self, path: str, body: Any) -> Any:
        if path == "/servicePrincipals":
            self.principals.append(body["appId"])
            return {}
        made = {"id": f"object-{len(self.applications)}", "appId": f"client-{len(self.applications)}", **body}
        self.applications.append(made)
        return made

    def _patch(self, path: str, body: Any) -> None:
        if self.lagging:
            self.lagging -= 1
            raise sign_in.SignInError("Resource 'x' does not exist or one of its queried references are not present")
        application = next(known for known in self.applications if path == f"/applications/{known['id']}")
        there = {scope["id"] for scope in (application.get("api") or {}).get("oauth2PermissionScopes") or []}
        for entry in body["api"]["preAuthorizedApplications"]:
            if not set(entry["delegatedPermissionIds"]) <= there:
                raise sign_in.SignInError("PermissionId isn't a valid permission of the application")
        if any(application.get(name) != value for name, value in body.items()):
            self.changes += 1
        application.update(body)


@pytest.fixture
def graph(monkeypatch: pytest.MonkeyPatch) -> Graph:
    made = Graph()
    monkeypatch.setattr(sign_in, "run", made.run)
    monkeypatch.setattr(sign_in.time, "sleep", lambda _: None)
    for name in ("AUTH_CLIENT_ID", "SERVICE_API_URL", "AZURE_ENV_NAME"):
        monkeypatch.delenv(name, raising=False)
    return made


def test_one_run_makes_what_signing_in_needs(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_ENV_NAME", "prod")
    assert sign_in.main(["--url", "https://app.example.org/"]) == 0

    (made,) = graph.applications
    assert made["displayName"] == "drone-telemetry-prod"
    assert made["identifierUris"] == ["api://client-0"]
    assert made["web"]["implicitGrantSettings"]["enableIdTokenIssuance"] is True  # AADSTS700054 otherwise
    assert made["web"]["redirectUris"] == ["https://app.example.org/.auth/login/aad/callback"]
    assert made["api"]["requestedAccessTokenVersion"] == 2
    (scope,) = made["api"]["oauth2PermissionScopes"]
    assert (scope["value"], scope["isEnabled"]) == ("user_impersonation", True)
    assert made["api"]["preAuthorizedApplications"] == [
        {"appId": sign_in.AZURE_CLI, "delegatedPermissionIds": [scope["id"]]}
    ]
    assert {role["value"] for role in made["appRoles"]} == {"GetStatus", "SendTelemetry", "Operate"}
    assert graph.principals == ["client-0"]
    assert graph.environment == {"AUTH_CLIENT_ID": "client-0"}


def test_a_second_run_changes_nothing(graph: Graph) -> None:
    assert sign_in.main(["--name", "fleet"]) == 0
    assert sign_in.main(["--name", "fleet", "--url", "https://app.example.org"]) == 0
    before, changes = json.dumps(graph.applications), graph.changes
    assert sign_in.main(["--name", "fleet", "--url", "https://app.example.org"]) == 0

    assert (json.dumps(graph.applications), graph.changes) == (before, changes)
    assert len(graph.applications) == len(graph.principals) == 1


def test_what_others_have_added_stays(graph: Graph) -> None:
    graph.applications.append(
        {
            "id": "o",
            "appId": "mine",
            "displayName": "d",
            "appRoles": [{"value": "Auditor"}],
            "web": {"redirectUris": ["https://other/"]},
            "api": {
                "oauth2PermissionScopes": [{"id": "s", "value": "other"}],
                "preAuthorizedApplications": [{"appId": "tool", "delegatedPermissionIds": ["s"]}],
            },
        }
    )
    assert sign_in.main(["--client-id", "mine", "--url", "https://app"]) == 0

    (made,) = graph.applications
    assert "Auditor" in {role["value"] for role in made["appRoles"]}
    assert made["web"]["redirectUris"] == ["https://other/", "https://app/.auth/login/aad/callback"]
    assert {"id": "s", "value": "other"} in made["api"]["oauth2PermissionScopes"]
    assert {entry["appId"] for entry in made["api"]["preAuthorizedApplications"]} == {"tool", sign_in.AZURE_CLI}


def test_a_registration_that_is_not_known_everywhere_yet_is_waited_for(graph: Graph) -> None:
    graph.lagging = 2
    assert sign_in.main([]) == 0
    graph.lagging = 9
    assert sign_in.main([]) == 1


@pytest.mark.parametrize("names", [["--client-id", "unknown"], ["--name", "twice"]])
def test_what_cannot_be_decided_is_said(graph: Graph, names: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    graph.applications += [{"id": str(i), "appId": str(i), "displayName": "twice"} for i in range(2)]
    assert sign_in.main(names) == 1
    assert "AUTH_CLIENT_ID" in capsys.readouterr().err


def test_a_missing_command_is_named() -> None:
    with pytest.raises(sign_in.SignInError, match="no-such-command is not on the PATH"):
        sign_in.run(["no-such-command"])


def test_only_fresh_roles_are_waited_for() -> None:
    now = datetime(2026, 1, 1, tzinfo=timezone.utc)

    def aged(seconds: float) -> dict[str, str]:
        return {"createdOn": (now - timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")}

    assert wait_for_roles.seconds_left([], now) == 0
    assert wait_for_roles.seconds_left([aged(10_000), aged(5_000)], now) == 0
    assert wait_for_roles.seconds_left([aged(10_000), aged(60)], now) == wait_for_roles.SPREAD_SECONDS - 60
