"""What goes into a format's reader and what comes out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from telemetry.model import EventContext
from telemetry.vocabulary import Format, TimeSource


class Context(NamedTuple):
    """What a reader may know besides the value."""

    content_type: str | None = None
    event: EventContext | None = None  # ``telemetry.context`` looks things up in it
    device: str | None = None  # as DEVICE_ID_SOURCE names it; None: the body is to name it
    decoded: Format = "json"  # how the value was decoded: a native value's format


class Reading(NamedTuple):
    """One message, as its format says it.

    ``element`` has the native shape and is checked like a device's own: out of range is rejected by name. Without a
    ``deviceId`` the device is ``Context.device``, else the message is rejected; one that differs from it is a mismatch.
    ``source`` is a JSON value that, read alone in the same context, is this one message: a dead letter keeps it.
    """

    element: dict[str, Any]
    source: Any
    format: Format
    timestamp: Any = None  # where the element has none: a time as in ``timestamp``; one that is none is passed over
    time_source: TimeSource = "gateway"  # who says ``timestamp``
    extra: Mapping[str, Any] | None = None  # for the message's ``extra``, and no part of its identity


class FormatReader(NamedTuple):
    """``recognises`` decides by content type, then by topic or type, then by looking; ``read`` may raise EventRejected
    for a value that claims the format and cannot be read at all."""

    recognises: Callable[[Any, Context], bool]
    read: Callable[[Any, Context], Iterable[Reading]]
