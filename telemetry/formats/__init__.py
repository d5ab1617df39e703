"""Other people's formats: one pure reader each, from (value, context) to messages in the native shape.

How encodings become values (gzip, JSON, the reference's frame) is ``telemetry.decoding``; what a value says is found
here: ``readings`` gives None for the native shape, which ``telemetry.reading`` then takes as it is, else what the first
format of ``READERS`` that recognises the value makes of it. CloudEvents are envelopes around any of them. A reader
never guesses units: it knows its format's, and its unknown-value sentinels mean absent. What is no message (a dock's
own state, a ground station) is left out.

A new format is a file here, a row in ``READERS`` and a name in ``vocabulary.Format``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from telemetry.formats import cloud_events, dji, f3411, mavlink
from telemetry.formats.shapes import Context, FormatReader, Reading
from telemetry.rejection import EventRejected

__all__ = ["READERS", "Context", "FormatReader", "Reading", "readings"]

READERS: tuple[FormatReader, ...] = (
    FormatReader(dji.recognises, dji.read),
    FormatReader(mavlink.recognises, mavlink.read),
    FormatReader(f3411.recognises, f3411.read),
)
"""In the order in which they are asked."""

# Each may be packed anew, so a few kilobytes could hold thousands.
_MOST_ENVELOPES = 4


def readings(value: Any, context: Context) -> list[Reading] | None:
    """The messages that one value (an event's, or one element of its array) is in another format; None: it is native.

    Raises EventRejected.
    """
    return _readings(value, context, 0)


def _readings(value: Any, context: Context, depth: int) -> list[Reading] | None:
    if type(value) is dict and "deviceId" in value and (context.event is None or "properties" not in context.event):
        return None  # no other format has such a name
    if cloud_events.recognises(value, context):
        if depth >= _MOST_ENVELOPES:
            raise EventRejected("malformed_json", f"more than {_MOST_ENVELOPES} CloudEvents inside each other")
        return list(_inside(value, context, depth))
    for reader in READERS:
        if reader.recognises(value, context):
            return list(reader.read(value, context))
    return None


def _inside(value: Any, context: Context, depth: int) -> Iterator[Reading]:
    """What the envelope holds, as if it had come bare; the envelope's own words stand beside it."""
    envelope = cloud_events.opened(value, context)
    for content in envelope.contents:
        found = _readings(content.value, envelope.context, depth + 1)
        if found is None:
            found = [Reading(content.value, content.value, envelope.context.decoded)]
        for reading in found:
            yield Reading(
                reading.element,
                content.source,
                reading.format,
                envelope.time if reading.timestamp is None else reading.timestamp,
                reading.time_source,
                {**reading.extra, "cloudEvent": envelope.words} if reading.extra else {"cloudEvent": envelope.words},
            )
