"""Starts the local host with this app as a child process, for tests, benchmarks and screenshots.

with LocalHost(data_dir) as host:
    host.get("/api/stats")
    host.kill()     # SIGKILL, as a power cut for the process would
    host.start()    # again, on the same ports and the same data
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

from tools.demo import demo_settings

ROOT = Path(__file__).resolve().parent.parent
T = TypeVar("T")


class Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class LocalHost:
    """One host on free ports. ``log`` is the file its stderr and stdout go to."""

    def __init__(
        self,
        data: Path,
        *,
        app: Path = ROOT,
        settings: Mapping[str, str] | None = None,
        arguments: tuple[str, ...] = (),
        ready: str = "/api/health",
    ) -> None:
        self.data = data
        self.app = app
        self.settings = dict(settings or {})
        self.arguments = arguments
        self.ready = ready  # answers 200 once the app may be used
        self.log = data.parent / f"{data.name}-host.log"
        self.url = ""
        self.connection = ""
        self.process: subprocess.Popen[bytes] | None = None
        self._ports = ("0", "0")

    def start(self, *, seconds: float = 60.0) -> LocalHost:
        """Returns once the app may be used; the first start chooses the ports, later ones keep them."""
        ready = self.data.parent / f"{self.data.name}-ready.json"
        ready.unlink(missing_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(
                        sys.executable,
                        "-m",
                        "functions_host",
                        "start",
                        "--app",
                        str(self.app),
                        "--data",
                        str(self.data),
                    ),
                    *("--port", self._ports[0], "--event-hubs-port", self._ports[1], "--ready-file", str(ready)),
                    *self.arguments,
                ],
                env={**(demo_settings() if self.app == ROOT else {}), **os.environ, **self.settings},
                stdout=log,
                stderr=log,
            )
        try:
            self._wait_until_ready(ready, seconds)
        except BaseException:
            self.kill()  # nobody has this host yet who could stop it
            raise
        return self

    def _wait_until_ready(self, ready: Path, seconds: float) -> None:
        wait_until(lambda: ready.exists() or self._ended(), seconds, self._what_it_said)
        if self._ended():
            raise RuntimeError(self._what_it_said())
        facts = json.loads(ready.read_text())
        self.url, self.connection = facts["url"], facts["eventHubConnection"] or ""
        hub_port = urlsplit(self.connection.split(";")[0].removeprefix("Endpoint=")).port or 0
        self._ports = (str(urlsplit(self.url).port), str(hub_port))
        wait_until(self._healthy, seconds, self._what_it_said)

    def kill(self) -> None:
        """SIGKILL: nothing is finished, nothing is flushed."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self, *, seconds: float = 15.0) -> int:
        """SIGTERM, and SIGKILL when it takes too long; the exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.process.returncode

    def request(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None, seconds: float = 30
    ) -> Answer:
        """One request; a body that is not bytes is sent as JSON."""
        sent = dict(headers or {})
        data: bytes | None = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if data is not None and not isinstance(body, bytes):
            sent.setdefault("content-type", "application/json")
        address = urlsplit(self.url)
        kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
        connection = kind(address.netloc, timeout=seconds)
        try:
            connection.request(method, path, data, sent)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def get(self, path: str) -> Any:
        """The JSON of a 200; anything else is an error that shows the answer."""
        answer = self.request("GET", path)
        if answer.status != 200:
            raise RuntimeError(f"GET {path}: {answer.status} {answer.body[:500]!r}")
        return answer.json()

    def items(self, path: str) -> list[Any]:
        """All items of a list, page by page."""
        found: list[Any] = []
        separator = "&" if "?" in path else "?"
        page = self.get(path)
        while True:
            found += page["items"]
            if page["continuation"] is None:
                return found
            page = self.get(f"{path}{separator}continuation={page['continuation']}")

    def settled(self, *, messages: int, stored: int = 0, seconds: float = 60.0) -> dict[str, Any]:
        """Waits until that many messages are counted and no batch is under way; the statistics then.

        After a kill events may come again and be counted again: there ``stored`` says how many are to be stored.
        """

        def look() -> dict[str, Any] | None:
            stats: dict[str, Any] = self.get("/api/stats")
            open_batches = stats["batches"]["received"] + stats["batches"]["running"]
            enough = stats["messages"] >= messages and stats["stored"] >= stored
            return stats if enough and open_batches == 0 else None

        return wait_until(look, seconds, lambda: f"{self.get('/api/stats')}\n{self._what_it_said()}")

    def __enter__(self) -> LocalHost:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _healthy(self) -> bool:
        try:
            return self.request("GET", self.ready).status == 200
        except OSError:
            return False

    def _ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def _what_it_said(self) -> str:
        return f"the host's last lines:\n{self.log.read_text(errors='replace')[-4000:]}"


def wait_until(condition: Callable[[], T | bool | None], seconds: float, what: Callable[[], str]) -> T:
    """Looks every 20 ms until ``condition`` is true and returns its value; raises with ``what()`` when time is over."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value  # type: ignore[return-value]
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds} s: {what()}")
        time.sleep(0.02)
