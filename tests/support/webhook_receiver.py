"""A receiver of webhooks on loopback that verifies every request and counts by ``webhook-id``."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from standardwebhooks import Webhook

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass(frozen=True)
class Received:
    at: float  # wall clock
    webhook_id: str
    event: dict[str, Any]

    @property
    def kind(self) -> str:
        return str(self.event["type"]).removeprefix("drone.alert.")


class Receiver:
    """Answers ``status``; ``hangs`` makes it answer nothing until it is closed."""

    def __init__(self, *, status: int = 204, hangs: bool = False) -> None:
        self.status, self.hangs = status, hangs
        self.received: list[Received] = []
        self.refused: list[str] = []
        """What was not signed as it should be."""
        self._closed = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver._take(dict(self.headers), body)
                if receiver.hangs:
                    receiver._closed.wait()
                self.send_response(receiver.status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"

    def _take(self, headers: dict[str, str], body: bytes) -> None:
        at = time.time()
        try:
            event = Webhook(SECRET).verify(body, headers)
        except Exception as error:
            self.refused.append(repr(error))
            return
        assert headers["content-type"] == "application/cloudevents+json"
        self.received.append(Received(at, headers["webhook-id"], event))

    def kinds(self, device: str | None = None) -> Counter[tuple[str, str]]:
        """(alert, kind) of each webhook-id, once, however often it came."""
        once = {one.webhook_id: one for one in self.received}.values()
        return Counter((one.event["data"]["id"], one.kind) for one in once if device in (None, one.event["subject"]))

    def of(self, device: str, kind: str) -> list[Received]:
        return [one for one in self.received if one.event["subject"] == device and one.kind == kind]

    def __enter__(self) -> Receiver:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed.set()
        self._server.shutdown()
        self._server.server_close()


def settings_for(*receivers: Receiver, **seconds: float) -> dict[str, str]:
    """Of a host whose receivers these are; ``seconds`` as in ``clear=3`` for ``ALERT_CLEAR_SECONDS``."""
    return {
        "ALERT_WEBHOOKS": ",".join(receiver.url for receiver in receivers),
        "ALERT_WEBHOOK_SECRET": SECRET,
        **{f"ALERT_{name.upper()}_SECONDS": f"{value:g}" for name, value in seconds.items()},
    }


def message(device: str, **fields: Any) -> bytes:
    """One of now."""
    now = time.time()
    return json.dumps({"deviceId": device, "timestamp": now, **fields}).encode()
