"""Starts a host as a person would, on free ports, and looks after the process."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

APPS = Path(__file__).parent / "apps"
T = TypeVar("T")


@dataclass
class Answer:
    """An HTTP answer; header names are lower case, repeated ones a list in `all_headers`."""

    status: int
    body: bytes
    headers: dict[str, str]
    all_headers: list[tuple[str, str]] = field(default_factory=list)

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirect, urllib.request.ProxyHandler({}))


def http(
    method: str,
    url: str,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
    *,
    json_body: Any = None,
    timeout: float = 30,
) -> Answer:
    sent = dict(headers or {})
    if json_body is not None:
        body = json.dumps(json_body).encode()
        sent.setdefault("Content-Type", "application/json")
    request = urllib.request.Request(url, data=body, method=method, headers=sent)
    try:
        with _OPENER.open(request, timeout=timeout) as response:
            return _answer(response.status, response.read(), response.headers)
    except urllib.error.HTTPError as error:
        with error:
            return _answer(error.code, error.read(), error.headers)


def _answer(status: int, body: bytes, headers: Any) -> Answer:
    pairs = [(name.lower(), value) for name, value in headers.items()]
    return Answer(status, body, dict(pairs), pairs)


def wait_for(look: Callable[[], T | None], what: str, seconds: float = 20) -> T:
    """Ask until something comes back; fails with `what` when nothing did in time."""
    until = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > until:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(0.02)


class HostProcess:
    """``python -m functions_host start`` on one of the sample apps."""

    def __init__(
        self,
        app: str | Path,
        data: Path,
        *arguments: str,
        env: dict[str, str] | None = None,
        descriptors: int | None = None,
    ) -> None:
        self.app = APPS / app
        self.data = data
        self.log_path = data.parent / f"{data.name}.log"
        self.ready_path = data.parent / f"{data.name}.ready.json"
        self.ready: dict[str, Any] = {}
        self.interpreter = sys.executable
        self._arguments = arguments
        self._env = env or {}
        self._descriptors = descriptors
        self.process: subprocess.Popen[bytes] | None = None

    def launch(self) -> HostProcess:
        self.ready_path.unlink(missing_ok=True)
        environment = {name: value for name, value in os.environ.items() if name != "EventHubConnection"}
        environment.update(self._env)
        command = [self.interpreter, "-m", "functions_host", "start", "--app", str(self.app), "--data", str(self.data)]
        command += ["--port", "0", "--event-hubs-port", "0", "--ready-file", str(self.ready_path), *self._arguments]
        if self._descriptors is not None:
            command = ["sh", "-c", f'ulimit -n {self._descriptors} && exec "$@"', "sh", *command]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=self.data.parent)
        return self

    def start(self) -> HostProcess:
        self.launch()
        wait_for(self._is_up, "the host to be ready", 40)
        self.ready = json.loads(self.ready_path.read_text())
        return self

    def _is_up(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError(f"the host ended with {self.process.returncode}:\n{self.log}")
        return self.ready_path.exists()

    @property
    def url(self) -> str:
        return str(self.ready["url"])

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def stop(self, number: signal.Signals = signal.SIGTERM, seconds: float = 15) -> int:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(seconds)

    def kill(self) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
            self.process.wait(10)


def children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in found]


def hubs_of(pid: int) -> list[int]:
    return [child for child in children(pid) if b"event_hubs_emulator" in _command(child)]


def workers_of(pid: int) -> list[int]:
    return [child for child in children(pid) if b"functions_host.worker" in _command(child)]


def _command(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
