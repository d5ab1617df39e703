"""What is measured, each behind the same few calls: a fresh start on an empty store, chains, signals, the end."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from benchmarks.engine import APP, INSTANCES
from benchmarks.peers.installing import install_python
from tools.local_host import LocalHost, wait_until

APPS = Path(__file__).resolve().parent.parent / "apps" / "peers"
_STARTERS = "/runtime/webhooks/durabletask/orchestrators"
SENDERS = 10
_STARTING_AT_ONCE = 8
PATIENCE_SECONDS = 600.0


class Contestant(Protocol):
    """``at_once``: how many chains are under way together; each contestant is measured where it is fastest."""

    name: str
    at_once: tuple[int, ...]
    signals: bool

    def start(self, folder: Path) -> None:
        """On an empty store. Raises ``NotInstalled``."""

    def chains(self, count: int, at_once: int) -> float:
        """Seconds until that many chains of four steps have all given 4."""

    def send(self, count: int) -> float:
        """Seconds from ten senders' start until their signals (to a hundred receivers) have all been counted."""

    def stop(self) -> None: ...


class _Client:
    """A connection per thread, kept as Restate's client keeps its own."""

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url).netloc
        self._mine = threading.local()
        self._all: list[HTTPConnection] = []

    def request(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """The status and the JSON of the answer; a body is sent as JSON."""
        connection: HTTPConnection | None = getattr(self._mine, "connection", None)
        if connection is None:
            connection = self._mine.connection = HTTPConnection(self._address, timeout=PATIENCE_SECONDS)
            self._all.append(connection)
        data, headers = (None, {}) if body is None else (json.dumps(body), {"content-type": "application/json"})
        connection.request(method, path, data, headers)
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else None

    def close(self) -> None:
        for connection in self._all:
            connection.close()


class ThisEngine:
    """Over HTTP, as any client would; ``synchronous`` is the host's setting of that name."""

    signals = True
    at_once: tuple[int, ...] = (400, 1000)

    def __init__(self, synchronous: str) -> None:
        self.name = f"this engine, {synchronous}"
        self._setting = {"AzureFunctionsJobHost__extensions__durableTask__storageProvider__synchronous": synchronous}
        self._started = 0

    def start(self, folder: Path) -> None:
        self._host = LocalHost(
            folder / "data",
            app=APP,
            settings=self._setting,
            arguments=("--no-event-hubs",),
            ready="/admin/host/status",
        )
        self._host.start()
        self._client = _Client(self._host.url)

    def chains(self, count: int, at_once: int) -> float:
        began = time.monotonic()
        with ThreadPoolExecutor(min(at_once, _STARTING_AT_ONCE)) as pool:
            for begun in range(0, count, at_once):
                self._some(pool, min(at_once, count - begun))
        return time.monotonic() - began

    def _some(self, pool: ThreadPoolExecutor, count: int) -> None:
        self._started += 1
        prefix = f"chain-{self._started}"
        for status, answer in pool.map(
            lambda n: self._client.request("POST", f"{_STARTERS}/chain/{prefix}-{n}", "0"), range(count)
        ):
            assert status == 202, answer
        unfinished = f"{INSTANCES}?instanceIdPrefix={prefix}-&runtimeStatus=Pending,Running&top=1&showInput=false"
        while self._get(unfinished):
            time.sleep(0.001 if count == 1 else 0.02)
        assert self._get(f"{INSTANCES}/{prefix}-0")["output"] == 4

    def send(self, count: int) -> float:
        began = time.monotonic()
        for number in range(SENDERS):
            path = f"{_STARTERS}/send/sender-{number}"
            status, answer = self._client.request("POST", path, json.dumps([number, count // SENDERS]))
            assert status == 202, answer

        def counted() -> bool:
            listed = self._get("/runtime/webhooks/durabletask/entities/counter?fetchState=true&top=1000")
            return bool(sum(entity["state"] for entity in listed) == count)

        wait_until(counted, PATIENCE_SECONDS, lambda: f"not every signal of {count} arrived")
        return time.monotonic() - began

    def _get(self, path: str) -> Any:
        status, answer = self._client.request("GET", path)
        assert status == 200, answer
        return answer

    def stop(self) -> None:
        self._client.close()
        self._host.stop()


class Script:
    """A peer that runs inside a Python process: DBOS, durabletask."""

    signals = False

    def __init__(self, name: str, script: str, at_once: tuple[int, ...]) -> None:
        self.name = name
        self.at_once = at_once
        self._script = script

    def start(self, folder: Path) -> None:
        self._log = (folder / "log").open("wb")
        self._process = subprocess.Popen(
            [str(install_python()), str(APPS / self._script), str(folder / "store.sqlite")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            cwd=folder,
        )
        assert self._answer(folder) == "ready"
        self._folder = folder

    def chains(self, count: int, at_once: int) -> float:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([count, at_once]) + "\n")
        self._process.stdin.flush()
        return float(self._answer(self._folder))

    def _answer(self, folder: Path) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        if not line:
            self._process.wait()
            raise RuntimeError(f"{self.name} ended: {(folder / 'log').read_text(errors='replace')[-2000:]}")
        return line

    def send(self, count: int) -> float:
        raise NotImplementedError

    def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()
