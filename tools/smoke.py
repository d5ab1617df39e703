"""``python -m tools.smoke [URL]``: is what is deployed open to the right people, and does a message get through?

Run after every deployment (``azure.yaml``), and against the local host by the tests. In turn:

1. the health says that every part works;
2. who brings no token gets no drones: 401, or is sent to the sign-in page;
3. who writes the platform's principal header without a token gets none either;
4. who brings a token reads the fleet, sends one message and finds it in the drone's latest state.

A local host with ``AUTH_MODE=none`` is open by design: 2 and 3 are then turned round, on loopback only. The token is
``--token``, or what the Azure CLI gives for ``--client-id`` (``AUTH_CLIENT_ID``). Exit code 0 when all of it holds.
Nothing but the standard library, so that any Python runs it.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

PRINCIPAL_HEADER = "x-ms-client-principal"
LOOPBACK = {"127.0.0.1", "::1", "localhost"}
REQUEST_SECONDS = 30.0


class SmokeError(Exception):
    """What does not hold, in words for whoever deployed it."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        try:
            return json.loads(self.body)
        except ValueError:
            raise SmokeError(f"the answer ({self.status}) is no JSON: {self.body[:200]!r}") from None


class _Direct(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer here: to the sign-in page, which is one way to say no."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Service:
    """The deployed API at ``url``."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SmokeError(f"URL is {url!r}; allowed: http://HOST or https://HOST")
        self.local = parts.hostname in LOOPBACK
        if parts.scheme == "http" and not self.local:
            raise SmokeError(f"URL is {url!r}; allowed: https, but for this machine: a token would be readable to all")
        self._url = url.rstrip("/")
        self._open = urllib.request.build_opener(_Direct()).open

    def ask(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, body: Any = None) -> Answer:
        data = None if body is None else json.dumps(body).encode()
        given = {"accept": "application/json", **(headers or {})}
        if data is not None:
            given["content-type"] = "application/json"
        request = urllib.request.Request(self._url + path, data=data, headers=given, method=method)
        try:
            with self._open(request, timeout=REQUEST_SECONDS) as answer:
                return Answer(answer.status, dict(answer.headers.items()), answer.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, dict(error.headers.items()), error.read())
        except OSError as error:
            raise SmokeError(f"{method} {path}: no answer ({error})") from None


def forged_principal() -> str:
    """A principal that has every role, as anybody could write it."""
    roles = ("GetStatus", "SendTelemetry", "Operate")
    claims = [{"typ": "roles", "val": role} for role in roles]
    return base64.b64encode(json.dumps({"auth_typ": "aad", "claims": claims}).encode()).decode()


def token_of(client_id: str) -> str:
    """An access token of whoever the Azure CLI is signed in as."""
    az = shutil.which("az")
    if az is None:
        raise SmokeError("the Azure CLI is not on the PATH: give --token, or install it")
    command = [az, "account", "get-access-token", "--resource", f"api://{client_id}", "--query", "accessToken"]
    done = subprocess.run([*command, "-o", "tsv"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SmokeError(f"no token for api://{client_id}: {done.stderr.strip()}")
    return done.stdout.strip()


def check(service: Service, token: Callable[[], str | None], *, seconds: float, say: Callable[[str], None]) -> None:
    """All steps in turn, each said when it holds. ``SmokeError`` names the first that does not."""
    _healthy(service, seconds)
    say("health: every part works")
    is_open = _closed(service, say)
    bearer = None if is_open else token()
    headers = {} if bearer is None else {"authorization": f"Bearer {bearer}"}
    _expect(service.ask("GET", "/api/drones?limit=1", headers=headers), 200, "GET /api/drones", "GetStatus")
    say("fleet: readable" + ("" if bearer is None else " with a token"))
    say(f"message: sent and readable after {_through(service, headers, seconds):.1f} s")


def _healthy(service: Service, seconds: float) -> None:
    """A deployment that has just ended answers late, and with errors at first."""
    until = time.monotonic() + seconds
    while True:
        try:
            answer = service.ask("GET", "/api/health")
            problem = "" if answer.status == 200 else f"{answer.status}: {answer.body.decode('utf-8', 'replace')[:500]}"
        except SmokeError as error:
            problem = str(error)
        if not problem:
            return
        if time.monotonic() > until:
            raise SmokeError(f"health: {problem}")
        time.sleep(1.0)


def _closed(service: Service, say: Callable[[str], None]) -> bool:
    """Whether the API is open to everybody, which only a local host may be."""
    without = service.ask("GET", "/api/drones?limit=1")
    if without.status == 200:
        if not service.local:
            raise SmokeError("GET /api/drones answers 200 without a token: everybody can read the fleet (AUTH_MODE)")
        say("no token: open, as AUTH_MODE=none on this machine is")
        return True
    if without.status not in (301, 302, 303, 307, 401):
        raise SmokeError(f"GET /api/drones without a token answers {without.status}; expected 401 or the sign-in page")
    say(f"no token: {without.status}")
    forged = service.ask("GET", "/api/drones?limit=1", headers={PRINCIPAL_HEADER: forged_principal()})
    if forged.status == 200:
        raise SmokeError(f"GET /api/drones answers 200 to a forged {PRINCIPAL_HEADER}: anybody can be anybody")
    say(f"forged principal: {forged.status}")
    return False


def _expect(answer: Answer, status: int, what: str, role: str) -> None:
    if answer.status != status:
        refused_by_app = _detail(answer)
        if answer.status == 401 and refused_by_app is not None:
            # The platform has let it through. What is then most likely is that the app is not told of the platform's
            # authentication (WEBSITE_AUTH_ENABLED), and believes no principal.
            advice = f"the platform takes the token and the app does not: {refused_by_app}"
        else:
            advice = {
                401: "the token is not accepted: audience or issuer differ from the app's authentication settings",
                403: f"the token lacks the role {role}: give it to the account (docs/deployment.md)",
            }.get(answer.status, answer.body.decode("utf-8", "replace")[:500])
        raise SmokeError(f"{what} answers {answer.status}; expected {status}: {advice}")


def _detail(answer: Answer) -> str | None:
    """What the app itself says is wrong (RFC 9457); None of an answer that is not the app's."""
    try:
        detail = json.loads(answer.body).get("detail")
    except (ValueError, AttributeError):
        return None
    return detail if isinstance(detail, str) and detail else None


def _through(service: Service, headers: Mapping[str, str], seconds: float) -> float:
    """Send one message of a drone of its own and wait for it; seconds from sent to readable."""
    drone, battery = "smoke-test", int(uuid.uuid4().hex[:6], 16) / 0xFFFFFF
    sent = time.monotonic()
    answer = service.ask(
        "POST", "/api/telemetry", headers=headers, body={"deviceId": drone, "battery": battery, "keyFrame": True}
    )
    _expect(answer, 202, "POST /api/telemetry", "SendTelemetry")
    while True:
        state = service.ask("GET", f"/api/drones/{drone}", headers=headers)
        if state.status == 200 and state.json().get("battery") == battery:
            return time.monotonic() - sent
        if time.monotonic() - sent > seconds:
            seen = state.json().get("battery") if state.status == 200 else state.status
            raise SmokeError(
                f"the message was accepted and is not readable after {seconds:g} s (seen: {seen}): "
                "GET /api/batches?status=received,running,failed says where it is"
            )
        time.sleep(0.2)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.smoke", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("url", nargs="?", default=os.environ.get("SERVICE_API_URL"), help="default: SERVICE_API_URL")
    parser.add_argument("--token", default=os.environ.get("SMOKE_TOKEN"), help="a bearer token (SMOKE_TOKEN)")
    parser.add_argument("--client-id", default=os.environ.get("AUTH_CLIENT_ID"), help="whose token to ask the CLI for")
    parser.add_argument("--seconds", type=float, default=120.0, help="how long health and message may take, each")
    args = parser.parse_args(argv)
    if not args.url:
        parser.error("URL is missing, and SERVICE_API_URL is not set")

    def token() -> str:
        if args.token:
            return str(args.token)
        if not args.client_id:
            raise SmokeError("a token is needed: give --token, or --client-id (AUTH_CLIENT_ID) and sign in with az")
        return token_of(args.client_id)

    try:
        check(Service(args.url), token, seconds=args.seconds, say=lambda text: print(f"smoke: {text}", flush=True))
    except SmokeError as error:
        print(f"smoke: FAILED: {error}", file=sys.stderr)
        return 1
    print("smoke: all of it holds")
    return 0


if __name__ == "__main__":
    sys.exit(main())
