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
from urllib.parse import unquote

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
register_provider = script("register_provider")


class Graph:
    """What ``az rest`` and ``azd env set`` answer; refuses what Graph refuses."""

    def __init__(self) -> None:
        self.applications: list[dict[str, Any]] = []
        self.principals: list[str] = []
        self.environment: dict[str, str] = {}
        self.files: list[Path] = []
        self.tenants = ["contoso", "contoso"]
        """That the CLI is signed in to, and that of the subscription."""
        self.changes = self.requests = 0
        self.lagging = 0
        self.lagging_principals = 0

    def run(self, command: Sequence[str]) -> str:
        if command[:3] == ["azd", "env", "set"]:
            self.environment[command[3]] = command[4]
            return ""
        if command[:3] == ["az", "account", "show"]:
            return self.tenants["--subscription" in command]
        given = dict(zip(command[2::2], command[3::2], strict=True))
        body = None
        if "--body" in given:  # a file, because of the shell that reads az's arguments on Windows
            self.files.append(Path(given["--body"].removeprefix("@")))
            body = json.loads(self.files[-1].read_text(encoding="ascii"))
        path = given["--url"].removeprefix(sign_in.GRAPH)
        answer = getattr(self, "_" + given["--method"].lower())(path, body)
        return "" if answer is None else json.dumps(answer)

    def _get(self, path: str, _: Any) -> Any:
        matched = re.fullmatch(r"/(applications|servicePrincipals)\?\$filter=(appId|displayName) eq '(.*)'", path)
        assert matched, path
        kind, field, value = matched.groups()
        assert not set(value) & set("&#+")  # the query would end there
        value = unquote(value).replace("''", "'")
        if kind == "servicePrincipals":
            return {"value": [{"appId": known} for known in self.principals if known == value]}
        return {"value": [known for known in self.applications if known[field] == value]}

    def _post(self, path: str, body: Any) -> Any:
        if path == "/servicePrincipals":
            if self.lagging_principals:
                self.lagging_principals -= 1
                raise sign_in.SignInError("The appId 'x' does not reference a valid application object.")
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
        assert not any("origin" in role for role in body["appRoles"])
        sent = {role["id"]: _without_order(role) for role in body["appRoles"]}
        for role in map(_without_order, application.get("appRoles") or []):
            if role.get("isEnabled") and sent.get(role["id"]) not in (role, {**role, "isEnabled": False}):
                raise sign_in.SignInError("Permission cannot be deleted or updated unless disabled first.")
        for entry in body.get("api", {}).get("preAuthorizedApplications", []):
            if not set(entry["delegatedPermissionIds"]) <= there:
                raise sign_in.SignInError("PermissionId isn't a valid permission of the application")
        # It tells of them in an order of its own, and more than it takes.
        told = {**body, "appRoles": [{**role, "origin": "Application"} for role in body["appRoles"]]}
        for role in told["appRoles"]:
            role["allowedMemberTypes"] = sorted(role.get("allowedMemberTypes", []))
        self.requests += 1
        if any(application.get(name) != value for name, value in told.items()):
            self.changes += 1
        application.update(told)


def _without_order(role: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in role.items() if name != "origin"}
    return {**kept, "allowedMemberTypes": set(role.get("allowedMemberTypes") or [])}


@pytest.fixture
def graph(monkeypatch: pytest.MonkeyPatch) -> Graph:
    made = Graph()
    monkeypatch.setattr(sign_in, "run", made.run)
    monkeypatch.setattr(sign_in.time, "sleep", lambda _: None)
    for name in ("AUTH_CLIENT_ID", "SERVICE_API_URL", "AZURE_ENV_NAME", "AZURE_SUBSCRIPTION_ID"):
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
    before, changes, requests = json.dumps(graph.applications), graph.changes, graph.requests
    assert sign_in.main(["--name", "fleet", "--url", "https://app.example.org"]) == 0

    assert (json.dumps(graph.applications), graph.changes) == (before, changes)
    assert graph.requests == requests + 1  # no role is switched off on the way
    assert len(graph.applications) == len(graph.principals) == 1


def test_what_others_have_added_stays(graph: Graph) -> None:
    graph.applications.append(
        {
            "id": "o",
            "appId": "mine",
            "displayName": "d",
            "identifierUris": ["https://contoso.example/fleet"],
            "appRoles": [
                {"id": "1", "value": "Auditor", "isEnabled": True, "origin": "Application"},
                {"id": "2", "value": "Operate", "description": "of old", "isEnabled": True, "origin": "Application"},
                {"id": "3", "value": None},  # the one that Entra ID makes for apps without roles
            ],
            "web": {"redirectUris": ["https://other/"]},
            "api": {
                "oauth2PermissionScopes": [{"id": "s", "value": "other"}],
                "preAuthorizedApplications": [{"appId": "tool", "delegatedPermissionIds": ["s"]}],
            },
        }
    )
    assert sign_in.main(["--client-id", "mine", "--url", "https://app"]) == 0

    (made,) = graph.applications
    ids = {role["value"]: role["id"] for role in made["appRoles"]}
    assert (ids["Auditor"], ids["Operate"], ids[None], len(ids)) == ("1", "2", "3", 5)
    (operate,) = (role for role in made["appRoles"] if role["value"] == "Operate")
    assert operate["isEnabled"] is True
    assert "replay" in operate["description"]
    assert made["identifierUris"] == ["api://mine", "https://contoso.example/fleet"]
    assert made["web"]["redirectUris"] == ["https://other/", "https://app/.auth/login/aad/callback"]
    assert {"id": "s", "value": "other"} in made["api"]["oauth2PermissionScopes"]
    assert {entry["appId"] for entry in made["api"]["preAuthorizedApplications"]} == {"tool", sign_in.AZURE_CLI}


def test_a_registration_that_is_not_known_everywhere_yet_is_waited_for(graph: Graph) -> None:
    graph.lagging = 2
    graph.lagging_principals = 2
    assert sign_in.main(["--name", "fleet"]) == 0
    assert len(graph.principals) == 1
    graph.lagging = 9
    assert sign_in.main(["--name", "fleet"]) == 1


def test_clients_of_others_are_never_shut_out_on_the_way(graph: Graph) -> None:
    """Also when the second of two steps fails."""
    tool = {"appId": "tool", "delegatedPermissionIds": ["s"]}
    api = {"oauth2PermissionScopes": [{"id": "s", "value": "other"}], "preAuthorizedApplications": [tool]}
    graph.applications.append({"id": "o", "appId": "mine", "displayName": "d", "api": api})
    seen: list[Any] = []
    patch = graph._patch

    def watched(path: str, body: Any) -> None:
        seen.append(body["api"]["preAuthorizedApplications"])
        patch(path, body)

    graph._patch = watched  # type: ignore[method-assign]
    assert sign_in.main(["--client-id", "mine"]) == 0
    assert len(seen) == 2
    assert all(tool in entries for entries in seen)


def test_what_is_sent_stands_in_a_file_that_does_not_stay(graph: Graph) -> None:
    for _ in range(2):
        assert sign_in.main(["--name", 'R&D\'s "100 %" fleet']) == 0
    (made,) = graph.applications
    assert made["displayName"] == 'R&D\'s "100 %" fleet'
    assert graph.files
    assert not any(file.exists() for file in graph.files)


def test_no_registration_is_made_that_no_environment_knows(graph: Graph, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        sign_in.main([])
    assert "AZURE_ENV_NAME" in capsys.readouterr().err
    assert not graph.applications


@pytest.mark.parametrize("names", [["--client-id", "unknown"], ["--name", "twice"]])
def test_what_cannot_be_decided_is_said(graph: Graph, names: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    graph.applications += [{"id": str(i), "appId": str(i), "displayName": "twice"} for i in range(2)]
    assert sign_in.main(names) == 1
    assert "AUTH_CLIENT_ID" in capsys.readouterr().err


def test_a_registration_is_made_in_the_tenant_that_is_deployed_to(
    graph: Graph, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AZURE_SUBSCRIPTION_ID", "sub")
    graph.tenants = ["contoso", "fabrikam"]
    assert sign_in.main(["--name", "fleet"]) == 1
    assert "contoso" in (said := capsys.readouterr().err)
    assert "fabrikam: az account set --subscription sub" in said
    assert not graph.applications
    graph.tenants = ["fabrikam", "fabrikam"]
    assert sign_in.main(["--name", "fleet"]) == 0
    assert len(graph.applications) == 1


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


@pytest.mark.parametrize(
    "created", ["2025-12-31T23:59:00.1234567Z", "2025-12-31T23:59:00Z", "2026-01-01T01:59:00.123456+02:00"]
)
def test_a_time_is_read_however_the_cli_writes_it(created: str) -> None:
    now = datetime(2026, 1, 1, tzinfo=timezone.utc)
    assert wait_for_roles.seconds_left([{"createdOn": created}], now) == wait_for_roles.SPREAD_SECONDS - 60
    # What is no time is not waited for, and a time that is ahead of this machine's no longer than any other.
    assert wait_for_roles.seconds_left([{"createdOn": None}, {}, {"createdOn": "?"}], now) == 0
    assert wait_for_roles.seconds_left([{"createdOn": "2026-01-01T02:00:00Z"}], now) == wait_for_roles.SPREAD_SECONDS


class Azure:
    """What ``az`` is asked, and its answers by their first words."""

    def __init__(self, **answers: str) -> None:
        self.answers = answers
        self.asked: list[list[str]] = []

    def run(self, command: Sequence[str]) -> str:
        self.asked.append(list(command))
        return self.answers["_".join(command[1:3])]


def test_roles_are_looked_for_in_the_subscription_that_is_deployed_to(monkeypatch: pytest.MonkeyPatch) -> None:
    created = datetime.now(timezone.utc).isoformat()
    azure = Azure(resource_list='["/one", "/two"]', role_assignment=json.dumps([{"createdOn": created}]))
    waited: list[float] = []
    monkeypatch.setattr(wait_for_roles, "run", azure.run)
    monkeypatch.setattr(wait_for_roles.time, "sleep", waited.append)
    monkeypatch.setenv("AZURE_RESOURCE_GROUP", "rg-prod")
    monkeypatch.setenv("AZURE_SUBSCRIPTION_ID", "sub")

    assert wait_for_roles.main() == 0
    assert [command[command.index("--scope") + 1] for command in azure.asked[1:]] == ["/one", "/two"]
    assert all(command[command.index("--subscription") + 1] == "sub" for command in azure.asked)
    assert 170 < waited[0] <= wait_for_roles.SPREAD_SECONDS


@pytest.mark.parametrize(("state", "registers"), [("Registered", False), ("NotRegistered", True)])
def test_a_network_has_its_provider_registered_first(
    monkeypatch: pytest.MonkeyPatch, state: str, registers: bool
) -> None:
    azure = Azure(provider_show=state, provider_register="")
    monkeypatch.setattr(register_provider, "run", azure.run)
    monkeypatch.setenv("AZURE_SUBSCRIPTION_ID", "sub")
    monkeypatch.delenv("VNET_ENABLED", raising=False)
    assert register_provider.main() == 0
    assert not azure.asked

    monkeypatch.setenv("VNET_ENABLED", "true")
    assert register_provider.main() == 0
    assert [command[2] for command in azure.asked] == ["show", "register"][: 1 + registers]
    assert all("Microsoft.App" in command and "sub" in command for command in azure.asked)


def test_a_provider_that_cannot_be_registered_stops_the_deployment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(_: Sequence[str]) -> str:
        raise sign_in.SignInError("az provider register failed: AuthorizationFailed")

    monkeypatch.setattr(register_provider, "run", refused)
    monkeypatch.setenv("VNET_ENABLED", "true")
    assert register_provider.main() == 1
    assert "AuthorizationFailed" in capsys.readouterr().err
