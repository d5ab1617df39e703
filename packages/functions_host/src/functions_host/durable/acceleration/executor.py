"""The SDK's executor makes a namedtuple class anew at every step, which compiles code; one class serves all."""

from __future__ import annotations

from collections import namedtuple
from functools import lru_cache

from functions_host.durable.acceleration.patches import NAMEDTUPLE


def install_executor() -> None:
    """Let the SDK's executor get the class it made before."""
    NAMEDTUPLE.install(lru_cache(maxsize=16)(namedtuple))
