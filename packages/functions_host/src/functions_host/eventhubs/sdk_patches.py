"""What of azure-eventhub is replaced, and the code it was replaced for.

Each was written for the SDK named in `WRITTEN_FOR`. `digest` is that of the replaced code's source then: a test
compares it with the SDK that is installed, and fails when that changes underneath. An SDK that is built differently
keeps its own code, and works as it does without this host.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import logging
from typing import Any, NamedTuple

from functions_host.eventhubs.quick_events import install_quick_events
from functions_host.eventhubs.quick_frames import install_quick_frames
from functions_host.eventhubs.tolerant_decoding import install_tolerant_decoding

logger = logging.getLogger("functions_host.eventhubs")

WRITTEN_FOR = "5.15.1"


class Replaced(NamedTuple):
    """`code` is ``module:name.name`` below azure.eventhub, `by` the module here that tells what for."""

    code: str
    by: str
    digest: str

    def source_digest(self) -> str:
        """Of the code as it is installed."""
        module, _, path = self.code.partition(":")
        found: Any = importlib.import_module(f"azure.eventhub.{module}")
        for name in path.split("."):
            found = getattr(found, name)
        return hashlib.sha256(inspect.getsource(found).encode()).hexdigest()[:16]


ALL = (
    Replaced("_common:EventData.__init__", "quick_events", "b8aca522f3f5a372"),
    Replaced("_pyamqp.aio._transport_async:AsyncTransportMixin.receive_frame", "quick_frames", "4ed0732687e53030"),
    Replaced("_pyamqp._decode:decode_payload", "tolerant_decoding", "00b1a943351f2351"),
    Replaced("_pyamqp.aio._receiver_async:ReceiverLink._incoming_transfer", "tolerant_decoding", "a8e55e04d1818373"),
)


def prepare() -> None:
    """Put this host's improvements under azure-eventhub, once in a process."""
    install_quick_frames()
    install_quick_events()
    if not install_tolerant_decoding():
        logger.warning("this azure-eventhub is not known: an event that it cannot decode holds up its partition")
