"""Other people's formats: one pure reader each, from (value, context) to messages in the native shape.

How encodings become values (gzip, JSON, the reference's frame) is ``telemetry.decoding``; what a value says is found
here: ``readings`` gives None for the native shape, which ``telemetry.reading`` then takes as it is, else what the first
format of ``READERS`` that recognises the value makes of it. A reader never guesses units: it knows its format's, and
its unknown-value sentinels mean absent. What is no message (a dock's own state, a ground station) is left out.

A new format is a file here, a row in ``READERS`` and a name in ``vocabulary.Format``.
"""

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
    extra: Mapping[str, Any] | None = None  # the originals of what was converted, for the message's ``extra``


class FormatReader(NamedTuple):
    """``recognises`` decides by content type, then by topic or type, then by looking; ``read`` may raise EventRejected
    for a value that claims the format and cannot be read at all."""

    recognises: Callable[[Any, Context], bool]
    read: Callable[[Any, Context], Iterable[Reading]]


READERS: tuple[FormatReader, ...] = ()
"""In the order in which they are asked: envelopes before what they hold."""


def readings(value: Any, context: Context) -> list[Reading] | None:
    """The messages that one value (an event's, or one element of its array) is in another format; None: it is native.

    Raises EventRejected.
    """
    for reader in READERS:
        if reader.recognises(value, context):
            return list(reader.read(value, context))
    return None
