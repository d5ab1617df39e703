"""Starts the Node servers for the Azure adapters' tests: Azurite behind a proxy that can fail, and a Cosmos DB account.

Environment variables point the same tests at other servers, the official emulators or a real account:
``TEST_COSMOS_ENDPOINT`` and ``TEST_COSMOS_KEY``, ``TEST_BLOB_CONNECTION_STRING``. Those cannot fail on demand.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

FOLDER = Path(__file__).resolve().parent
_INSTALLED = FOLDER / "node_modules" / ".installed"
# Azurite's well-known development account; its key is published.
_ACCOUNT = "devstoreaccount1"
_ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
# Any key does for the test server; it must only look like one.
_COSMOS_KEY = "C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw=="


class ServersUnavailable(Exception):
    """The servers cannot be had here; the text says why."""


class Faults:
    """What the server at ``url`` shall do wrong (see faults.js)."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/_faults"

    def add(self, match: str, **rule: Any) -> None:
        self._call("POST", {"match": match} | rule)

    def freeze(self) -> None:
        """Reads show what stands there now until ``clear``."""
        self._call("POST", {"freeze": True})

    def record(self) -> None:
        """Every request is noted until ``clear``."""
        self._call("POST", {"record": True})

    def recorded(self) -> list[str]:
        """``METHOD path kind`` of each request since, and of each document that was written or read in a transaction
        ``document CONTAINER OPERATION BYTES``."""
        noted: list[str] = self._call("GET", path="/record")
        return noted

    def clear(self) -> None:
        self._call("DELETE")

    def struck(self) -> list[int]:
        return [rule["struck"] for rule in self._call("GET")]

    def _call(self, method: str, body: Any = None, path: str = "") -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)


@dataclass(frozen=True)
class AzureServers:
    cosmos_endpoint: str
    cosmos_key: str
    blob_connection_string: str
    cosmos_faults: Faults | None  # None: a server that is not ours
    blob_faults: Faults | None

    def environment(self, name: str) -> dict[str, str]:
        """Settings with which the app keeps its store here, in a database and a blob container called ``name``."""
        return {
            "STORE": "azure",
            "COSMOS_ENDPOINT": self.cosmos_endpoint,
            "COSMOS_KEY": self.cosmos_key,
            "COSMOS_DATABASE": name,
            "BATCH_BLOB_CONNECTION_STRING": self.blob_connection_string,
            "BATCH_BLOB_CONTAINER": name,
        }


@contextlib.contextmanager
def azure_servers() -> Iterator[AzureServers]:
    """The servers, running until the block is left. ``ServersUnavailable`` where there are none."""
    endpoint, key = os.environ.get("TEST_COSMOS_ENDPOINT"), os.environ.get("TEST_COSMOS_KEY")
    connection_string = os.environ.get("TEST_BLOB_CONNECTION_STRING")
    if endpoint and key and connection_string:
        yield AzureServers(endpoint, key, connection_string, None, None)
        return
    install()
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="azure-servers-"))
        cosmos = stack.enter_context(_node(Path(folder), "cosmos", "cosmos.js"))
        azurite = stack.enter_context(_azurite(Path(folder)))
        proxy = stack.enter_context(_node(Path(folder), "proxy", "blob_proxy.js", "--target", str(azurite)))
        blob = f"http://127.0.0.1:{proxy}"
        yield AzureServers(
            cosmos_endpoint=f"http://127.0.0.1:{cosmos}/",
            cosmos_key=_COSMOS_KEY,
            blob_connection_string=(
                f"DefaultEndpointsProtocol=http;AccountName={_ACCOUNT};AccountKey={_ACCOUNT_KEY};"
                f"BlobEndpoint={blob}/{_ACCOUNT};"
            ),
            cosmos_faults=Faults(f"http://127.0.0.1:{cosmos}"),
            blob_faults=Faults(blob),
        )


def install() -> None:
    """``npm ci`` once for a lock file, by whoever comes first. ``ServersUnavailable`` where it cannot be."""
    lock_file = FOLDER / "package-lock.json"
    with (Path(tempfile.gettempdir()) / "azure-test-servers.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _INSTALLED.is_file() and _INSTALLED.read_bytes() == lock_file.read_bytes():
            return
        if shutil.which("node") is None or shutil.which("npm") is None:
            raise ServersUnavailable("Node.js with npm is not installed; the Azure test servers need it")
        install = subprocess.run(
            ["npm", "ci", "--no-audit", "--no-fund"], cwd=FOLDER, capture_output=True, text=True, timeout=300
        )
        if install.returncode != 0:
            raise ServersUnavailable(f"npm ci in tests/support/servers failed: {install.stderr.strip()[-500:]}")
        _INSTALLED.write_bytes(lock_file.read_bytes())


@contextlib.contextmanager
def _node(folder: Path, name: str, *command: str) -> Iterator[int]:
    """A Node process that prints ``ready PORT``; yields the port."""
    with (folder / f"{name}.log").open("w") as log:
        process = subprocess.Popen(["node", *command], cwd=FOLDER, stdout=subprocess.PIPE, stderr=log, text=True)
        with _stopped_after(process):
            yield int(_line(process, "ready ", folder / f"{name}.log").split()[1])


@contextlib.contextmanager
def _azurite(folder: Path) -> Iterator[int]:
    command = [
        "node",
        str(FOLDER / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"),
        *("--blobHost", "127.0.0.1", "--blobPort", "0"),
        *("--disableTelemetry", "--skipApiVersionCheck", "--silent", "--inMemoryPersistence"),
    ]
    with (folder / "azurite.log").open("w") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=log, text=True)
        with _stopped_after(process):
            line = _line(process, "Azurite Blob service successfully listens on ", folder / "azurite.log")
            yield int(line.rsplit(":", 1)[1])


@contextlib.contextmanager
def _stopped_after(process: subprocess.Popen[str]) -> Iterator[None]:
    try:
        yield
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def _line(process: subprocess.Popen[str], start: str, log: Path) -> str:
    stdout: IO[str] | None = process.stdout
    assert stdout is not None
    for line in stdout:
        if line.startswith(start):
            return line.strip()
    raise RuntimeError(f"the server ended before it was ready: {log.read_text()[-2000:]}")
