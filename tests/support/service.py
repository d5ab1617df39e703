"""A service that answers what a test tells it to, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Answer = tuple[int, Any]


class Service:
    """``answers``: "METHOD path" -> (status, JSON body), or a list of them, one a request (the last stays)."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer | list[Answer]] = {}
        self.asked: list[tuple[str, dict[str, list[str]], Any]] = []
        self.headers: list[dict[str, str]] = []
        self.extra: dict[str, str] = {}
        self.url = ""
        self._lock = threading.Lock()

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        parts = urlsplit(target)
        key = f"{method} {parts.path}"
        with self._lock:
            self.asked.append((key, parse_qs(parts.query), json.loads(body) if body else None))
            self.headers.append(headers)
            found = self.answers.get(key, (404, {"title": "Not found", "detail": "there is no such thing"}))
            if isinstance(found, list):
                return found.pop(0) if len(found) > 1 else found[0]
            return found

    def paths(self) -> list[str]:
        return [key for key, _, _ in self.asked]


@contextmanager
def serve(service: Service) -> Iterator[None]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _do(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            status, answer = service.answer(self.command, self.path, dict(self.headers.items()), body)
            data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            for name, value in service.extra.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_DELETE = _do

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    service.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
