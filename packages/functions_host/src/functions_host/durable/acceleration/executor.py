"""The SDK's executor makes a namedtuple class anew at every step, which compiles code; one class serves all. And its
walk through the history, with the context it walks in, is done by quicker stand-ins.
"""

from __future__ import annotations

from collections import namedtuple
from functools import lru_cache

from functions_host.durable.acceleration.patches import NAMEDTUPLE, STEPS


def install_executor() -> None:
    """Let the SDK's executor get the class it made before, and walk as `execution` does where that copied it."""
    NAMEDTUPLE.install(lru_cache(maxsize=16)(namedtuple))
    if all(patch.is_known() for patch in STEPS):
        # They take from the SDK what only the known one has.
        from functions_host.durable.acceleration import contexts, execution

        contexts.install()
        execution.install()
