"""The shapes that pass between the rules: a delivery comes in; messages and rejections go out.

Messages, dead letters and drone states are plain JSON objects from the moment they are decoded until they are stored,
so that a batch of thousands is never converted back and forth; the keys are those of the HTTP API. Their types here
cost nothing when running: they let the type checker find a wrong key.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypedDict

from telemetry.vocabulary import AlertCode, AltitudeReference, ErrorCode, FlightMode, Format, LetterStatus, TimeSource


class EventContext(TypedDict, total=False):
    """What came with an event besides its body (see ``telemetry.context``); what is not there is left out."""

    partitionKey: str
    properties: dict[str, Any]  # application properties
    system: dict[
        str, Any
    ]  # what a gateway and the host set: iothub-*, message-id, correlation-id, body-type, body-error
    leftOut: list[str]  # names of what did not fit


class Error(TypedDict):
    """One broken rule."""

    code: ErrorCode
    field: str | None  # as in ``position.latitude``; None for the whole
    value: Any  # what was there, shortened
    detail: str


class Position(TypedDict, total=False):
    latitude: float
    longitude: float
    altitude: float
    height: float
    altitudeReference: AltitudeReference


class Health(TypedDict, total=False):
    gyrometer: bool
    accelerometer: bool
    magnetometer: bool


class Derived(TypedDict, total=False):
    """What enrichment found at a position."""

    zones: list[str]
    noFly: bool
    outsideGeofence: bool
    distanceFromHome: float
    altitudeLimitExceeded: bool | None  # None: a height was there, but what it refers to is not known


class Alert(TypedDict):
    code: AlertCode
    at: str


class Message(TypedDict, total=False):
    """An accepted message. Always there: id, deviceId, time, timeSource, keyFrame, flags, enqueuedAt, partition,
    sequenceNumber, index, batchId; ``alerts`` once enriched, ``derived`` if it has a place; the rest where the device
    said it. Times are canonical text."""

    id: str
    deviceId: str
    time: str
    timeSource: TimeSource
    keyFrame: bool
    flags: list[str]  # ``vocabulary.FLAGS``, and ``context_left_out:NAME``
    format: Format
    battery: float
    flightMode: FlightMode
    flightModeNumber: float
    position: Position
    health: Health
    groundSpeed: float
    heading: float
    verticalSpeed: float
    signal: float
    mission: str
    extra: dict[str, Any]
    derived: Derived
    alerts: list[Alert]
    enqueuedAt: str
    partition: str
    sequenceNumber: int
    index: int
    batchId: str
    correctedFrom: str  # the dead letter whose corrected copy it is


class CorrectedMessage(TypedDict):
    """Where to find a message that a corrected copy became."""

    id: str
    deviceId: str
    time: str


class Correction(TypedDict):
    """A corrected copy of a dead letter, which was accepted in its place; the letter's own bytes stay."""

    at: str
    by: str | None
    body: str  # base64
    contentType: str | None
    contentEncoding: str | None
    count: int  # messages in it
    messages: list[CorrectedMessage]  # the first of them


class _Rejected(TypedDict):
    id: str
    status: LetterStatus
    errors: list[Error]
    body: str  # base64
    deviceId: str | None
    hub: str
    partition: str
    offset: str
    sequenceNumber: int
    enqueuedAt: str
    index: int | None  # None: the whole event
    batchId: str
    attempts: int
    createdAt: str
    resolvedAt: str | None
    reason: str | None
    contentType: str | None
    contentEncoding: str | None
    context: EventContext | None
    messages: int  # how many it stands for


class DeadLetter(_Rejected, total=False):
    """What was rejected, and why."""

    correction: Correction


class DroneState(TypedDict):
    """The merged registers of one drone: what the entity keeps and one signal carries (see ``telemetry.merge``)."""

    id: str
    layers: list[list[Any]]
    last: list[Any]
    lastSeen: str
    seen: list[int]
    clear: dict[str, int]
    held: dict[str, int]


class Delivery(NamedTuple):
    """One event as the hub delivered it. ``enqueued_at`` is canonical time text; ``body`` is untouched.

    A tuple, because a frozen dataclass takes three times as long to make.
    """

    hub: str
    partition: str
    sequence_number: int
    offset: str
    enqueued_at: str
    body: bytes
    content_type: str | None = None
    content_encoding: str | None = None
    context: EventContext | None = None
