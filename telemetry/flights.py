"""Flights, worked out from a drone's messages in the order of their stamps, and from nothing else.

``fold`` goes through messages from a point at which the drone is known not to fly and gives the flights it finds;
what it carries from one message to the next is ``Fold``, plain JSON, so that it can be kept and gone on with: folding
all messages at once or a few at a time ends in the same bytes. ``starts`` says which messages can change
anything, so that whoever keeps flights need not look at the rest.

The rules (HTTP contract, Flights): a flight begins with the first message in mode takeoff or inflight and ends before
the first one after that in mode ready or offline, or at the last message before a silence of more than
``FlightRules.gap_seconds``. A message that says no mode (or unknown) continues what was before it; after a silence it
starts nothing. A drone that never says a mode flies while it moves, pauses of up to ``pause_seconds`` included.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypedDict, get_args

from pyproj import Geod

from telemetry import times
from telemetry.model import Message, Position
from telemetry.vocabulary import FlightMode

_WGS84 = Geod(ellps="WGS84")
_STARTING: frozenset[FlightMode] = frozenset(("takeoff", "inflight"))
_ENDING: frozenset[FlightMode] = frozenset(("ready", "offline"))

FlightStatus = Literal["ongoing", "ended"]
STATUSES: tuple[FlightStatus, ...] = get_args(FlightStatus)
ONGOING, ENDED = STATUSES

Stamp = list[Any]
"""[time, enqueuedAt, sequenceNumber, index, id]: the order of a drone's messages (telemetry contract, Merge)."""


@dataclass(frozen=True)
class FlightRules:
    """Seconds, metres per second, metres."""

    gap_seconds: float = 300.0
    pause_seconds: float = 30.0
    moving_speed: float = 1.0
    flying_height: float = 2.0


class Flight(TypedDict):
    """One flight as it is kept. ``ended`` is False while its end is not in the messages yet."""

    id: str
    deviceId: str
    startedAt: str
    lastAt: str
    startStamp: Stamp
    lastStamp: Stamp
    ended: bool
    messages: int
    distance: float  # metres, unrounded
    maxHeight: float | None
    maxAltitude: float | None
    maxGroundSpeed: float | None
    batteryStart: float | None
    batteryEnd: float | None
    takeoff: Position | None
    last: Position | None  # the latest position with latitude and longitude
    alerts: list[str]
    mission: str | None


class Fold(TypedDict):
    """What is carried along. ``flight`` None: the drone is not flying. ``pausing``: the flight with the messages of a
    pause of a drone that says no mode, which belong to it only if it moves again in time."""

    flight: Flight | None
    pausing: Flight | None
    idleFrom: Stamp | None  # of the message that ended the last flight


def not_flying() -> Fold:
    return {"flight": None, "pausing": None, "idleFrom": None}


def stamp_of(message: Message) -> Stamp:
    return [
        message["time"],
        message["enqueuedAt"],
        message["sequenceNumber"],
        message["index"],
        message["id"],
    ]


_NEEDED = (
    *("deviceId", "id", "time", "enqueuedAt", "sequenceNumber", "index"),
    *("flightMode", "position", "battery", "groundSpeed", "alerts", "mission"),
)


def needed(message: Message) -> Message:
    """What flights are worked out from: the other fields are read nowhere here, and need not be kept in memory."""
    return {name: message[name] for name in _NEEDED if name in message}  # type: ignore[return-value, literal-required]


def says_mode(message: Message) -> bool:
    return message.get("flightMode", "unknown") != "unknown"


def starts(message: Message, by_mode: bool, rules: FlightRules) -> bool:
    """Whether the message begins a flight of a drone that is not flying."""
    if by_mode:
        return message.get("flightMode") in _STARTING
    return _moves(message, rules) is True


def _moves(message: Message, rules: FlightRules) -> bool | None:
    """None: it says nothing of the kind."""
    speed = message.get("groundSpeed")
    height = message.get("position", {}).get("height")
    if speed is None and height is None:
        return None
    fast = speed is not None and speed >= rules.moving_speed
    return fast or (height is not None and height >= rules.flying_height)


def fold(state: Fold, messages: Iterable[Message], by_mode: bool, rules: FlightRules) -> tuple[Fold, list[Flight]]:
    """The state after ``messages`` (ascending stamps, all later than any in ``state``), and the flights that ended.

    ``state`` is left as it is. ``by_mode``: whether the drone has ever said a mode.
    """
    now = copied(state)
    ended = [advance(now, message, by_mode, rules) for message in messages]
    return now, [flight for flight in ended if flight is not None]


def copied(state: Fold) -> Fold:
    """A copy that ``advance`` may change: what is in a flight is replaced there, never changed."""
    flight, pausing = state["flight"], state["pausing"]
    return {
        "flight": None if flight is None else flight.copy(),
        "pausing": None if pausing is None else pausing.copy(),
        "idleFrom": state["idleFrom"],
    }


def advance(now: Fold, message: Message, by_mode: bool, rules: FlightRules) -> Flight | None:
    """``fold`` of one message, in place; the flight that it ends."""
    ended = None
    flight = now["flight"]
    if flight is not None:
        before = now["pausing"] or flight
        if times.seconds_between(before["lastAt"], message["time"]) > rules.gap_seconds:
            ended = _end(now, message)
        elif by_mode:
            if message.get("flightMode") in _ENDING:
                ended = _end(now, message)
            else:
                _extend(flight, message)
        elif not _keeps_moving(now, flight, message, rules):
            ended = _end(now, message)
    if now["flight"] is None and starts(message, by_mode, rules):
        now["flight"] = _begin(message)
    return ended


def _keeps_moving(now: Fold, flight: Flight, message: Message, rules: FlightRules) -> bool:
    """Take a message of a drone that says no mode into its flight; False when the pause has become too long."""
    moves = _moves(message, rules)
    pausing = now["pausing"]
    if pausing is None and moves is not False:
        _extend(flight, message)
        return True
    # The pause runs from the last message of the flight itself.
    if times.seconds_between(flight["lastAt"], message["time"]) > rules.pause_seconds:
        return False
    if pausing is None:
        pausing = now["pausing"] = flight.copy()
    _extend(pausing, message)
    if moves:
        now["flight"], now["pausing"] = pausing, None
    return True


def _begin(message: Message) -> Flight:
    stamp = stamp_of(message)
    flight: Flight = {
        "id": flight_id(message),
        "deviceId": message["deviceId"],
        "startedAt": message["time"],
        "lastAt": message["time"],
        "startStamp": stamp,
        "lastStamp": stamp,
        "ended": False,
        "messages": 0,
        "distance": 0.0,
        "maxHeight": None,
        "maxAltitude": None,
        "maxGroundSpeed": None,
        "batteryStart": None,
        "batteryEnd": None,
        "takeoff": None,
        "last": None,
        "alerts": [],
        "mission": None,
    }
    _extend(flight, message)
    return flight


def _end(now: Fold, message: Message) -> Flight:
    flight = now["flight"]
    assert flight is not None
    flight["ended"] = True
    now["flight"] = now["pausing"] = None
    now["idleFrom"] = stamp_of(message)
    return flight


def _extend(flight: Flight, message: Message) -> None:
    flight["lastAt"] = message["time"]
    flight["lastStamp"] = stamp_of(message)
    flight["messages"] += 1
    battery = message.get("battery")
    if battery is not None:
        if flight["batteryStart"] is None:
            flight["batteryStart"] = battery
        flight["batteryEnd"] = battery
    speed = message.get("groundSpeed")
    if speed is not None:
        flight["maxGroundSpeed"] = _larger(flight["maxGroundSpeed"], speed)
    mission = message.get("mission")
    if mission is not None:
        flight["mission"] = mission
    alerts = message.get("alerts")
    if alerts:
        flight["alerts"] = sorted({*flight["alerts"], *(alert["code"] for alert in alerts)})
    position = message.get("position")
    if position:
        _place(flight, position)


def _place(flight: Flight, position: Position) -> None:
    height, altitude = position.get("height"), position.get("altitude")
    if height is not None:
        flight["maxHeight"] = _larger(flight["maxHeight"], height)
    if altitude is not None:
        flight["maxAltitude"] = _larger(flight["maxAltitude"], altitude)
    if "latitude" not in position or "longitude" not in position:
        return
    last = flight["last"]
    if last is None:
        flight["takeoff"] = position
    else:
        _, _, metres = _WGS84.inv(last["longitude"], last["latitude"], position["longitude"], position["latitude"])
        flight["distance"] += float(metres)
    flight["last"] = position


def _larger(known: float | None, value: float) -> float:
    return value if known is None or value > known else known


def flight_id(message: Message) -> str:
    """Id of the flight that ``message`` begins: drone, start, and as much of the message's id as tells two flights
    apart that a clock of whole seconds lets begin at one time. At most 100 characters."""
    compact = message["time"].replace("-", "").replace(":", "").replace(".", "")
    return f"{message['deviceId']}~{compact}~{message['id'][-8:]}"


def device_of(flight: str) -> str | None:
    """The drone in a flight's id; None for text that is no flight's id."""
    device, _, rest = flight.partition("~")
    return device if device and rest.count("~") == 1 else None


def show(flight: Flight, now: str, rules: FlightRules) -> dict[str, Any]:
    """A flight as the HTTP API shows it. One whose silence has lasted too long by ``now`` (canonical) has ended."""
    ended = flight["ended"] or times.seconds_between(flight["lastAt"], now) > rules.gap_seconds
    return {
        "id": flight["id"],
        "deviceId": flight["deviceId"],
        "startedAt": flight["startedAt"],
        "endedAt": flight["lastAt"] if ended else None,
        "status": ENDED if ended else ONGOING,
        "durationSeconds": round(times.seconds_between(flight["startedAt"], flight["lastAt"]), 6),
        "distanceMetres": round(flight["distance"], 3),
        "maxHeight": flight["maxHeight"],
        "maxAltitude": flight["maxAltitude"],
        "maxGroundSpeed": flight["maxGroundSpeed"],
        "batteryStart": flight["batteryStart"],
        "batteryEnd": flight["batteryEnd"],
        "takeoff": flight["takeoff"],
        "landing": flight["last"] if ended else None,
        "messages": flight["messages"],
        "alerts": flight["alerts"],
        "mission": flight["mission"],
    }
