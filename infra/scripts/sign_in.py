"""Makes the app registration that people and programs sign in to, or brings one up to date; run as often as wanted.

``azd`` runs it before provisioning (``azure.yaml``), when the app has no address yet, and after it, when the address is
known and the redirect URI can be added. By hand: ``azd hooks run postprovision``, which hands it the environment's
values, or with ``--client-id`` or ``--name``. It needs the Azure CLI, signed in as somebody who may register
applications, and nothing but Python's standard library.

What it sets, and why (Microsoft Graph's ``application``):

* ``web.implicitGrantSettings.enableIdTokenIssuance``: App Service signs people in without a client secret, which is the
  implicit flow; without ID tokens Entra ID answers AADSTS700054.
* ``web.redirectUris``: the app's ``/.auth/login/aad/callback``.
* ``api.requestedAccessTokenVersion`` 2: tokens name the issuer that the app's settings name.
* ``api.oauth2PermissionScopes``: ``user_impersonation``, pre-authorized for the Azure CLI, so that
  ``az account get-access-token`` works without a consent that nobody is asked for (AADSTS65001).
* ``appRoles``: ``infra/app-roles.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

GRAPH = "https://graph.microsoft.com/v1.0"
AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
SCOPE = "user_impersonation"
ROLES = Path(__file__).resolve().parents[1] / "app-roles.json"
CALLBACK = "/.auth/login/aad/callback"
_SPREADING_SECONDS = (0.0, 5.0, 10.0, 20.0)
_NOT_KNOWN_YET = ("does not exist", "does not reference a valid application object")
"""What Graph says of a registration that was just made, by who has not heard of it."""


class SignInError(RuntimeError):
    """A step that could not be done; the text says which one and what to do."""


def run(command: Sequence[str]) -> str:
    """What the command prints. ``SignInError`` with its own words when it fails, or is not there."""
    executable = shutil.which(command[0])
    if executable is None:
        raise SignInError(f"{command[0]} is not on the PATH; docs/deployment.md lists what is needed")
    done = subprocess.run([executable, *command[1:]], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SignInError(f"{' '.join(command[:3])} failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout.strip()


def graph(method: str, path: str, body: Any = None) -> Any:
    """One call of Microsoft Graph as whoever ``az`` is signed in as; None for an empty answer."""
    command = ["az", "rest", "--method", method, "--url", GRAPH + path]
    if body is None:
        text = run(command)
    else:
        # In a file: on Windows ``az`` is a batch file, whose shell would read quotes, & and % in an argument.
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "body.json")
            file.write_text(json.dumps(body), encoding="ascii")
            text = run([*command, "--headers", "Content-Type=application/json", "--body", f"@{file}"])
    return json.loads(text) if text else None


def wanted(application: dict[str, Any], url: str | None) -> dict[str, Any]:
    """The registration's properties as they should be; what somebody else has added stays."""
    web = application.get("web") or {}
    api = application.get("api") or {}
    scopes = [scope for scope in api.get("oauth2PermissionScopes") or [] if scope["value"] != SCOPE]
    known = [scope for scope in api.get("oauth2PermissionScopes") or [] if scope["value"] == SCOPE]
    scope = known[0] if known else _scope()
    others = _pre_authorized(application)
    own_uri = f"api://{application['appId']}"
    redirects = list(web.get("redirectUris") or [])
    if url is not None and url.rstrip("/") + CALLBACK not in redirects:
        redirects.append(url.rstrip("/") + CALLBACK)
    return {
        "identifierUris": [own_uri, *(uri for uri in application.get("identifierUris") or [] if uri != own_uri)],
        "appRoles": _roles(application.get("appRoles") or []),
        "web": {"redirectUris": redirects, "implicitGrantSettings": {"enableIdTokenIssuance": True}},
        "api": {
            "requestedAccessTokenVersion": 2,
            "oauth2PermissionScopes": [*scopes, scope],
            "preAuthorizedApplications": [*others, {"appId": AZURE_CLI, "delegatedPermissionIds": [scope["id"]]}],
        },
    }


def _pre_authorized(application: dict[str, Any]) -> list[dict[str, Any]]:
    """Clients besides the Azure CLI."""
    found = (application.get("api") or {}).get("preAuthorizedApplications") or []
    return [entry for entry in found if entry["appId"] != AZURE_CLI]


def _roles(there: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Ours and then the others. One that is there keeps its id: people hold it by that, and Graph lets nobody take an
    enabled role away. One that is right is sent as it is."""
    known = {role["value"]: role for role in _sendable(there) if role.get("value")}
    ours: dict[str, dict[str, Any]] = {role["value"]: role for role in json.loads(ROLES.read_text(encoding="utf-8"))}
    found = []
    for value, role in ours.items():
        old = known.get(value, role)
        new = {**role, "id": old["id"]}
        found.append(old if _in_order(old) == _in_order(new) else new)
    return found + [role for role in _sendable(there) if role.get("value") not in ours]


def _in_order(role: dict[str, Any]) -> dict[str, Any]:
    return {**role, "allowedMemberTypes": sorted(role.get("allowedMemberTypes") or [])}


def _switched_off(there: Sequence[dict[str, Any]], then: Sequence[dict[str, Any]]) -> list[dict[str, Any]] | None:
    """What is there, with those roles off that are on and become others; None when there are none of them. Graph
    changes no enabled role (CannotDeleteOrUpdateEnabledEntitlement); whoever holds one keeps it meanwhile."""
    following = {role["id"]: role for role in then}
    roles = _sendable(there)
    changing = {role["id"] for role in roles if role.get("isEnabled") and role != following.get(role["id"])}
    if not changing:
        return None
    return [{**role, "isEnabled": False} if role["id"] in changing else role for role in roles]


def _sendable(roles: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without what Graph tells of a role and does not take."""
    return [{name: value for name, value in role.items() if name != "origin"} for role in roles]


def _scope() -> dict[str, Any]:
    text = "Use the drone telemetry API as yourself; what you may do there is what your roles say"
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, "drone-telemetry/user_impersonation")),
        "value": SCOPE,
        "type": "User",
        "isEnabled": True,
        "adminConsentDisplayName": "Use the drone telemetry API",
        "adminConsentDescription": text,
        "userConsentDisplayName": "Use the drone telemetry API",
        "userConsentDescription": text,
    }


def check_tenant(subscription: str) -> None:
    """A registration in another tenant than the app's would be made without a word, and sign nobody in."""
    tenant = ["--query", "tenantId", "-o", "tsv"]
    there = run(["az", "account", "show", "--subscription", subscription, *tenant])
    here = run(["az", "account", "show", *tenant])
    if there != here:
        raise SignInError(
            f"the Azure CLI is signed in to the tenant {here}, and AZURE_SUBSCRIPTION_ID, which is deployed to, "
            f"belongs to {there}: az account set --subscription {subscription}"
        )


def ensure(client_id: str | None, name: str, url: str | None) -> str:
    """Make or find the registration, bring it up to date; gives its client id.

    ``client_id`` names one that is there; else one called ``name`` is looked for, and made when there is none.
    """
    application = _found(client_id, name)
    if application is None:
        application = graph("POST", "/applications", {"displayName": name, "signInAudience": "AzureADMyOrg"})
    identity = f"/applications/{application['id']}"
    change = wanted(application, url)
    switched_off = _switched_off(application.get("appRoles") or [], change["appRoles"])
    if switched_off is not None:
        _sent("PATCH", identity, {"appRoles": switched_off})
    # A scope must be there before it can be pre-authorized: two steps, the second one complete.
    without = {**change, "api": {**change["api"], "preAuthorizedApplications": _pre_authorized(application)}}
    if not any(scope["value"] == SCOPE for scope in (application.get("api") or {}).get("oauth2PermissionScopes") or []):
        _sent("PATCH", identity, without)
    _sent("PATCH", identity, change)
    app_id = str(application["appId"])
    if not graph("GET", f"/servicePrincipals?$filter=appId eq '{app_id}'")["value"]:
        _sent("POST", "/servicePrincipals", {"appId": app_id, "appRoleAssignmentRequired": False})
    return app_id


def _found(client_id: str | None, name: str) -> dict[str, Any] | None:
    if client_id:
        matches = graph("GET", f"/applications?$filter=appId eq '{client_id}'")["value"]
        if not matches:
            raise SignInError(
                f"AUTH_CLIENT_ID is {client_id}, and this tenant has no such registration: "
                "azd env set AUTH_CLIENT_ID '' to have one made, or az login to the tenant that has it"
            )
        return dict(matches[0])
    quoted = quote(name.replace("'", "''"), safe=" '")
    matches = graph("GET", f"/applications?$filter=displayName eq '{quoted}'")["value"]
    if len(matches) > 1:
        ids = ", ".join(match["appId"] for match in matches)
        raise SignInError(f"several registrations are called {name} ({ids}): azd env set AUTH_CLIENT_ID one of them")
    return dict(matches[0]) if matches else None


def _sent(method: str, path: str, body: dict[str, Any]) -> None:
    """A registration that was just made is not known everywhere at once: what is sent about it is tried for half a
    minute."""
    for attempt, seconds in enumerate(_SPREADING_SECONDS, 1):
        time.sleep(seconds)
        try:
            graph(method, path, body)
            return
        except SignInError as error:
            if attempt == len(_SPREADING_SECONDS) or not any(words in str(error) for words in _NOT_KNOWN_YET):
                raise


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="sign_in.py", description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("--client-id", default=os.environ.get("AUTH_CLIENT_ID"), help="a registration that is there")
    parser.add_argument("--name", help="what to call it (default: drone-telemetry- and AZURE_ENV_NAME)")
    parser.add_argument("--url", default=os.environ.get("SERVICE_API_URL"), help="the app's address, once it has one")
    args = parser.parse_args(argv)
    environment = os.environ.get("AZURE_ENV_NAME")
    name = args.name or (environment and f"drone-telemetry-{environment}")
    if not name and not args.client_id:  # a registration that nobody knows of would be made
        parser.error("AZURE_ENV_NAME is not set: azd hooks run preprovision sets it, or give --client-id or --name")
    subscription = os.environ.get("AZURE_SUBSCRIPTION_ID")
    try:
        if subscription:
            check_tenant(subscription)
        client_id = ensure(args.client_id or None, name or "", args.url or None)
        if environment:
            run(["azd", "env", "set", "AUTH_CLIENT_ID", client_id])
    except SignInError as error:
        print(f"sign-in: {error}", file=sys.stderr)
        return 1
    where = f"; redirect URI {args.url.rstrip('/')}{CALLBACK}" if args.url else ""
    print(f"sign-in: registration {client_id} is as it should be{where}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
