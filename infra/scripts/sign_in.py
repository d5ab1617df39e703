"""Makes the app registration that people and programs sign in to, or brings one up to date; run as often as wanted.

``azd`` runs it before provisioning (``azure.yaml``), when the app has no address yet, and after it, when the address is
known and the redirect URI can be added. By hand: ``python3 infra/scripts/sign_in.py [--url https://HOST]``. It needs
the Azure CLI, signed in as somebody who may register applications, and nothing but Python's standard library.

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
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

GRAPH = "https://graph.microsoft.com/v1.0"
AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
SCOPE = "user_impersonation"
ROLES = Path(__file__).resolve().parents[1] / "app-roles.json"
CALLBACK = "/.auth/login/aad/callback"
_SPREADING_SECONDS = (0.0, 5.0, 10.0, 20.0)


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
    if body is not None:
        command += ["--headers", "Content-Type=application/json", "--body", json.dumps(body)]
    text = run(command)
    return json.loads(text) if text else None


def wanted(application: dict[str, Any], url: str | None) -> dict[str, Any]:
    """The registration's properties as they should be; what somebody else has added stays."""
    web = application.get("web") or {}
    api = application.get("api") or {}
    scopes = [scope for scope in api.get("oauth2PermissionScopes") or [] if scope["value"] != SCOPE]
    known = [scope for scope in api.get("oauth2PermissionScopes") or [] if scope["value"] == SCOPE]
    scope = known[0] if known else _scope()
    others = [entry for entry in api.get("preAuthorizedApplications") or [] if entry["appId"] != AZURE_CLI]
    redirects = list(web.get("redirectUris") or [])
    if url is not None and url.rstrip("/") + CALLBACK not in redirects:
        redirects.append(url.rstrip("/") + CALLBACK)
    roles = json.loads(ROLES.read_text(encoding="utf-8"))
    ours = {role["value"] for role in roles}
    return {
        "identifierUris": [f"api://{application['appId']}"],
        "appRoles": roles + [role for role in application.get("appRoles") or [] if role["value"] not in ours],
        "web": {"redirectUris": redirects, "implicitGrantSettings": {"enableIdTokenIssuance": True}},
        "api": {
            "requestedAccessTokenVersion": 2,
            "oauth2PermissionScopes": [*scopes, scope],
            "preAuthorizedApplications": [*others, {"appId": AZURE_CLI, "delegatedPermissionIds": [scope["id"]]}],
        },
    }


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


def ensure(client_id: str | None, name: str, url: str | None) -> str:
    """Make or find the registration, bring it up to date; gives its client id.

    ``client_id`` names one that is there; else one called ``name`` is looked for, and made when there is none.
    """
    application = _found(client_id, name)
    if application is None:
        application = graph("POST", "/applications", {"displayName": name, "signInAudience": "AzureADMyOrg"})
    identity = f"/applications/{application['id']}"
    change = wanted(application, url)
    # A scope must be there before it can be pre-authorized: two steps, the second one complete.
    without = {**change, "api": {**change["api"], "preAuthorizedApplications": []}}
    if not any(scope["value"] == SCOPE for scope in (application.get("api") or {}).get("oauth2PermissionScopes") or []):
        _patched(identity, without)
    _patched(identity, change)
    app_id = str(application["appId"])
    if not graph("GET", f"/servicePrincipals?$filter=appId eq '{app_id}'")["value"]:
        graph("POST", "/servicePrincipals", {"appId": app_id, "appRoleAssignmentRequired": False})
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
    quoted = name.replace("'", "''")
    matches = graph("GET", f"/applications?$filter=displayName eq '{quoted}'")["value"]
    if len(matches) > 1:
        ids = ", ".join(match["appId"] for match in matches)
        raise SignInError(f"several registrations are called {name} ({ids}): azd env set AUTH_CLIENT_ID one of them")
    return dict(matches[0]) if matches else None


def _patched(path: str, change: dict[str, Any]) -> None:
    """A registration that was just made is not known everywhere at once: the change is tried for half a minute."""
    for attempt, seconds in enumerate(_SPREADING_SECONDS, 1):
        time.sleep(seconds)
        try:
            graph("PATCH", path, change)
            return
        except SignInError as error:
            if attempt == len(_SPREADING_SECONDS) or "does not exist" not in str(error):
                raise


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="sign_in.py", description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("--client-id", default=os.environ.get("AUTH_CLIENT_ID"), help="a registration that is there")
    parser.add_argument("--name", default=f"drone-telemetry-{os.environ.get('AZURE_ENV_NAME', 'dev')}")
    parser.add_argument("--url", default=os.environ.get("SERVICE_API_URL"), help="the app's address, once it has one")
    args = parser.parse_args(argv)
    try:
        client_id = ensure(args.client_id or None, args.name, args.url or None)
        if os.environ.get("AZURE_ENV_NAME"):
            run(["azd", "env", "set", "AUTH_CLIENT_ID", client_id])
    except SignInError as error:
        print(f"sign-in: {error}", file=sys.stderr)
        return 1
    where = f"; redirect URI {args.url.rstrip('/')}{CALLBACK}" if args.url else ""
    print(f"sign-in: registration {client_id} is as it should be{where}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
