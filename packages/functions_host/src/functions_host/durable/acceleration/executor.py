"""The SDK's executor makes a namedtuple class anew at every step, which compiles code; one class serves all."""

from __future__ import annotations

import importlib
from collections import namedtuple
from functools import lru_cache


def install_executor() -> None:
    """Let the SDK's executor get the class it made before."""
    module = importlib.import_module("azure.durable_functions.models.TaskOrchestrationExecutor")
    module.__dict__["namedtuple"] = lru_cache(maxsize=16)(namedtuple)
