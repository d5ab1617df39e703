"""Every name of azure-functions-durable that is replaced, and the code it was replaced for.

Each patch was written for the SDK named in `WRITTEN_FOR`. `code` is the SDK's code that uses the name, `digest` the
digest of its source then: a test compares it with the SDK that is installed, and fails when that changes underneath.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
from typing import Any

WRITTEN_FOR = "1.7.0"

_MODELS = "azure.durable_functions.models."


class Patch:
    """One name in one module of the SDK. Installing twice, or taking out what is not in, does nothing."""

    def __init__(self, module: str, name: str, code: str, digest: str) -> None:
        self.module = _MODELS + module
        self.name = name
        self.code = code
        self.digest = digest
        self.original: Any = None

    def install(self, stand_in: Any) -> None:
        names = importlib.import_module(self.module).__dict__
        if self.original is None:
            self.original = names[self.name]
        names[self.name] = stand_in

    def uninstall(self) -> None:
        if self.original is not None:
            importlib.import_module(self.module).__dict__[self.name] = self.original
            self.original = None

    def source_digest(self) -> str:
        """Of `code` (``module:name.name``, below the SDK's models) as it is installed."""
        module, _, path = self.code.partition(":")
        found: Any = importlib.import_module(_MODELS + module)
        for name in path.split("."):
            found = getattr(found, name)
        return hashlib.sha256(inspect.getsource(found).encode()).hexdigest()[:16]


# Parses each history event's Timestamp with dateutil: most of what a step costs.
TIMESTAMPS = Patch("history.HistoryEvent", "dt_parse", "history.HistoryEvent:HistoryEvent.__init__", "f564e865e1fc1f20")
# Makes a namedtuple class anew at every step, which compiles code.
NAMEDTUPLE = Patch(
    "TaskOrchestrationExecutor",
    "namedtuple",
    "TaskOrchestrationExecutor:TaskOrchestrationExecutor.set_task_value",
    "50e0da47aa57734c",
)
# The durable client's HTTP.
CLIENT_REQUESTS = tuple(
    Patch("DurableOrchestrationClient", name, f"utils.http_utils:{name}", digest)
    for name, digest in (
        ("post_async_request", "e62f380b9c4ed3ca"),
        ("get_async_request", "8353c23c2c474122"),
        ("delete_async_request", "ce85649616510a26"),
    )
)
ALL = (TIMESTAMPS, NAMEDTUPLE, *CLIENT_REQUESTS)
