"""The ports of the store: what the pipeline and the HTTP API may ask of it, and what every adapter must keep.

Shaped so that SQLite, and Cosmos DB with Blob storage, can both stand behind them:

* every call is a coroutine and safe to repeat: a call that failed after its effect is simply made again;
* no call spans documents of two partitions atomically; where two documents must agree, the order of the two writes
  makes every crash in between visible and repairable by running the call again;
* documents are JSON objects; what may exceed a document (raw batches, staged batches, large bodies) is bytes or is
  moved to bytes by the adapter; continuation tokens are opaque text.

Times are canonical text, ``YYYY-MM-DDTHH:MM:SS.ffffffZ`` in UTC (they sort as text). All errors that a retry may cure
are ``StoreUnavailable``; a continuation token that is not the adapter's own, or another query's, raises
``InvalidContinuation``. Limits are at least 1.
"""

from __future__ import annotations

from pipeline.ports.alerts import AlertFilter, AlertNote, AlertStore
from pipeline.ports.dead_letters import DeadLetterFilter, DeadLetterStore, LetterGroup, LetterGroups
from pipeline.ports.errors import Conflict, InvalidContinuation, StoreUnavailable
from pipeline.ports.flights import Arrival, Arrivals, FlightChange, FlightFilter, FlightHead, FlightStore
from pipeline.ports.held import Held, HeldBatches, HeldTotals
from pipeline.ports.ledger import BatchFilter, BatchLedger, Totals
from pipeline.ports.messages import MessageStore
from pipeline.ports.paging import Page
from pipeline.ports.reference import ReferenceStore, RegistrationRecord, ZonesVersion
from pipeline.ports.store import Store

__all__ = [
    "AlertFilter",
    "AlertNote",
    "AlertStore",
    "Arrival",
    "Arrivals",
    "BatchFilter",
    "BatchLedger",
    "Conflict",
    "DeadLetterFilter",
    "DeadLetterStore",
    "FlightChange",
    "FlightFilter",
    "FlightHead",
    "FlightStore",
    "Held",
    "HeldBatches",
    "HeldTotals",
    "InvalidContinuation",
    "LetterGroup",
    "LetterGroups",
    "MessageStore",
    "Page",
    "ReferenceStore",
    "RegistrationRecord",
    "Store",
    "StoreUnavailable",
    "Totals",
    "ZonesVersion",
]
