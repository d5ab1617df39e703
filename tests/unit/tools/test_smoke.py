"""The smoke test against services that are wrong in one way each, and one that is right."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tools import smoke

TOKEN = "t"


class Deployed:
    """An API with the faults that its flags switch on."""

    def __init__(self) -> None:
        self.open = False
        self.trusts_the_header = False
        self.unhealthy = False
        self.role_missing = False
        self.loses_messages = False
        self.redirects = False
        self.knows_no_platform = False
        self.battery: float | None = None
        self.url = ""


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployed]:
    service = Deployed()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/api/health":
                self._answer(503 if service.unhealthy else 200, {"status": "unhealthy" if service.unhealthy else "ok"})
            elif self._may():
                if self.path.startswith("/api/drones/"):
                    self._answer(404 if service.battery is None else 200, {"battery": service.battery})
                else:
                    self._answer(200, {"items": [], "continuation": None})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            if self._may():
                if not service.loses_messages:
                    service.battery = body["battery"]
                self._answer(202, {"accepted": 1})

        def _may(self) -> bool:
            if service.open or (service.trusts_the_header and self.headers.get(smoke.PRINCIPAL_HEADER)):
                return True
            if self.headers.get("authorization") != f"Bearer {TOKEN}":
                if service.redirects:
                    self.send_response(302)
                    self.send_header("location", "http://127.0.0.1:1/sign-in")
                    self.send_header("content-length", "0")
                    self.end_headers()
                else:
                    self._answer(401, {})
                return False
            if service.knows_no_platform:
                self._answer(401, {"status": 401, "detail": "App Service authentication is not on"})
                return False
            if service.role_missing:
                self._answer(403, {})
            return not service.role_missing

        def _answer(self, status: int, body: Any) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        service.url = f"http://127.0.0.1:{server.server_port}"
        # What a machine in Azure is to this one.
        monkeypatch.setattr(smoke.Service, "__init__", _remote)
        yield service
        server.shutdown()
        thread.join()


_REAL_INIT = smoke.Service.__init__


def _remote(self: smoke.Service, url: str) -> None:
    _REAL_INIT(self, url)
    self.local = False


def run(service: Deployed, *arguments: str) -> int:
    return smoke.main([service.url, "--token", TOKEN, "--seconds", "0.5", *arguments])


@pytest.mark.parametrize("redirects", [False, True])
def test_a_deployment_that_is_right_passes(deployed: Deployed, redirects: bool) -> None:
    deployed.redirects = redirects
    assert run(deployed) == 0


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("open", "everybody can read the fleet"),
        ("trusts_the_header", "anybody can be anybody"),
        ("unhealthy", "health: 503"),
        ("role_missing", "lacks the role GetStatus"),
        ("knows_no_platform", "the app does not: App Service authentication is not on"),
        ("loses_messages", "accepted and is not readable"),
    ],
)
def test_each_fault_is_found(deployed: Deployed, fault: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    setattr(deployed, fault, True)
    assert run(deployed) == 1
    assert words in capsys.readouterr().err


def test_a_wrong_token_is_told_from_a_missing_role(deployed: Deployed, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(deployed, "--token", "other") == 1
    assert "audience or issuer" in capsys.readouterr().err


def test_a_token_goes_over_https_only(capsys: pytest.CaptureFixture[str]) -> None:
    assert smoke.main(["http://drones.example.org", "--token", TOKEN]) == 1
    assert "https" in capsys.readouterr().err


def test_without_a_token_it_says_what_is_missing(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("AUTH_CLIENT_ID", "SMOKE_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    assert smoke.main([deployed.url, "--seconds", "0.5"]) == 1
    assert "--client-id" in capsys.readouterr().err
