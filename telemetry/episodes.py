"""Alerts: episodes of one condition of one drone, from its beginning until it has been gone for a while.

An episode is plain JSON and changes by the functions here only; each gives the changed episode, or None where there is
nothing to change, so that doing anything twice is doing it once. ``pending`` is one whose condition has not lasted long
enough yet: nobody is shown it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, TypedDict, get_args

from telemetry import times
from telemetry.model import Position
from telemetry.vocabulary import AlertCode

Status = Literal["pending", "active", "cleared"]
PENDING, ACTIVE, CLEARED = get_args(Status)
SHOWN_STATUSES: tuple[Status, ...] = (ACTIVE, CLEARED)

NoticeType = Literal["raised", "escalated", "acknowledged", "cleared"]
NOTICE_TYPES: tuple[NoticeType, ...] = get_args(NoticeType)
RAISED_NOTICE, ESCALATED_NOTICE, ACKNOWLEDGED_NOTICE, CLEARED_NOTICE = NOTICE_TYPES

DeliveryState = Literal["sending", "delivered", "given_up"]
SENDING, DELIVERED, GIVEN_UP = get_args(DeliveryState)

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class Delivery(TypedDict):
    """A notice's way to one receiver. ``round`` counts from 1: another one begins when a person sends it again."""

    state: DeliveryState
    round: int
    since: str  # wall time at which the round began


class Notice(TypedDict):
    at: str  # wall time
    deliveries: dict[str, Delivery]  # by the receiver's key


class Episode(TypedDict):
    """``raisedAt`` is a message time, all others are wall times; all are canonical text."""

    id: str
    deviceId: str
    code: AlertCode
    status: Status
    raisedAt: str
    seenAt: str  # when the merge had it
    absentSince: str | None  # it does not hold any more, and will be cleared
    activeAt: str | None
    clearedAt: str | None
    acknowledgedAt: str | None
    acknowledgedBy: str | None
    note: str | None
    escalatedAt: str | None
    value: Any
    position: Position | None
    notices: dict[NoticeType, Notice]


def episode_id(device_id: str, code: AlertCode, raised_at: str, again: int = 0) -> str:
    """At most 93 characters: drone, code, and the microseconds of ``raised_at`` since 1970 to the base of 36.

    ``again`` is added to them: what had been cleared may hold once more without any newer message (a drone whose clock
    is behind is heard of again after a silence), and that is an episode of its own.
    """
    number, digits = max(times.epoch_microseconds(raised_at), 0) + again, ""
    while number or not digits:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return f"{device_id}~{code}~{digits}"


def device_of(episode: str) -> str | None:
    """The drone in an episode's id; None for text that is no such id."""
    parts = episode.split("~")
    return parts[0] if len(parts) == 3 and all(parts) else None


def begun(
    device_id: str,
    code: AlertCode,
    raised_at: str,
    seen_at: str,
    value: Any,
    position: Position | None,
    again: int = 0,
) -> Episode:
    """A new one, pending."""
    return {
        "id": episode_id(device_id, code, raised_at, again),
        "deviceId": device_id,
        "code": code,
        "status": PENDING,
        "raisedAt": raised_at,
        "seenAt": seen_at,
        "absentSince": None,
        "activeAt": None,
        "clearedAt": None,
        "acknowledgedAt": None,
        "acknowledgedBy": None,
        "note": None,
        "escalatedAt": None,
        "value": value,
        "position": position,
        "notices": {},
    }


def activated(episode: Episode, at: str) -> Episode | None:
    return {**episode, "status": ACTIVE, "activeAt": at} if episode["status"] == PENDING else None


def absent(episode: Episode, since: str | None) -> Episode | None:
    """``since`` None: the condition holds again."""
    if episode["status"] != ACTIVE or (episode["absentSince"] is None) == (since is None):
        return None
    return {**episode, "absentSince": since}


def cleared(episode: Episode, at: str) -> Episode | None:
    if episode["status"] != ACTIVE:
        return None
    # A drone's clock may be ahead of ours: an episode does not end before it begins.
    return {**episode, "status": CLEARED, "clearedAt": max(at, episode["raisedAt"])}


def acknowledged(episode: Episode, at: str, by: str | None, note: str | None) -> Episode | None:
    if episode["status"] == PENDING or episode["acknowledgedAt"] is not None:
        return None
    return {**episode, "acknowledgedAt": at, "acknowledgedBy": by, "note": note}


def escalated(episode: Episode, at: str) -> Episode | None:
    waits = episode["status"] == ACTIVE and episode["acknowledgedAt"] is None and episode["escalatedAt"] is None
    return {**episode, "escalatedAt": at} if waits else None


def cause_of(episode: Episode, kind: NoticeType) -> str | None:
    """When (wall time) what the notice is about happened; None before."""
    if kind == RAISED_NOTICE:
        return episode["activeAt"]
    if kind == ESCALATED_NOTICE:
        return episode["escalatedAt"]
    return episode["acknowledgedAt"] if kind == ACKNOWLEDGED_NOTICE else episode["clearedAt"]


def due(episode: Episode) -> list[NoticeType]:
    """Notices that are to be told and have not been."""
    return [kind for kind in NOTICE_TYPES if kind not in episode["notices"] and cause_of(episode, kind) is not None]


def is_settled(episode: Episode) -> bool:
    """Nothing is left to do about it."""
    return episode["status"] == CLEARED and not due(episode) and not _is_under_way(episode)


def _is_under_way(episode: Episode) -> bool:
    notices = episode["notices"].values()
    return any(one["state"] == SENDING for notice in notices for one in notice["deliveries"].values())


def told(episode: Episode, kind: NoticeType, receivers: Iterable[str], at: str) -> Episode | None:
    """With the notice, on its way to each of ``receivers``."""
    if kind in episode["notices"]:
        return None
    notice: Notice = {
        "at": at,
        "deliveries": {receiver: {"state": SENDING, "round": 1, "since": at} for receiver in receivers},
    }
    return {**episode, "notices": {**episode["notices"], kind: notice}}


def delivery(episode: Episode, kind: NoticeType, receiver: str) -> Delivery | None:
    notice = episode["notices"].get(kind)
    return None if notice is None else notice["deliveries"].get(receiver)


def with_delivery(
    episode: Episode, kind: NoticeType, receiver: str, round_: int, state: DeliveryState
) -> Episode | None:
    """What became of a round. What has arrived has arrived; an earlier round says nothing about a later one."""
    known = delivery(episode, kind, receiver)
    if known is None or known["state"] == state or known["state"] == DELIVERED:
        return None
    if known["round"] != round_ and state != DELIVERED:
        return None
    return _replaced(episode, kind, receiver, {**known, "state": state})


def sent_again(episode: Episode, receivers: Iterable[str], at: str) -> Episode | None:
    """A new round for every notice that was given up, to receivers that are still there."""
    changed: Episode | None = None
    wanted = set(receivers)
    for kind, notice in episode["notices"].items():
        for receiver, known in notice["deliveries"].items():
            if known["state"] == GIVEN_UP and receiver in wanted:
                again: Delivery = {"state": SENDING, "round": known["round"] + 1, "since": at}
                changed = _replaced(changed or episode, kind, receiver, again)
    return changed


def undelivered(episode: Episode) -> list[NoticeType]:
    """Kinds of notices that at least one receiver never got."""
    return [
        kind
        for kind in NOTICE_TYPES
        if kind in episode["notices"]
        and any(one["state"] == GIVEN_UP for one in episode["notices"][kind]["deliveries"].values())
    ]


def _replaced(episode: Episode, kind: NoticeType, receiver: str, new: Delivery) -> Episode:
    notice = episode["notices"][kind]
    deliveries = {**notice["deliveries"], receiver: new}
    return {**episode, "notices": {**episode["notices"], kind: {**notice, "deliveries": deliveries}}}


def event_type(kind: NoticeType) -> str:
    """The CloudEvents type of a notice."""
    return f"drone.alert.{kind}"


def show(episode: Episode, flight_id: str | None) -> dict[str, Any]:
    """As the HTTP API and the notices show it, but for the links to its instance."""
    return {
        "id": episode["id"],
        "deviceId": episode["deviceId"],
        "code": episode["code"],
        "status": episode["status"],
        "raisedAt": episode["raisedAt"],
        "clearedAt": episode["clearedAt"],
        "acknowledgedAt": episode["acknowledgedAt"],
        "acknowledgedBy": episode["acknowledgedBy"],
        "note": episode["note"],
        "escalatedAt": episode["escalatedAt"],
        "value": episode["value"],
        "position": episode["position"],
        "flightId": flight_id,
        "undelivered": [event_type(kind) for kind in undelivered(episode)],
    }


def as_of(episode: Episode, kind: NoticeType) -> Episode:
    """As it was when the cause of the notice came: each retry of a notice says the same."""
    then = cause_of(episode, kind) or "", NOTICE_TYPES.index(kind)

    def known(cause: NoticeType) -> bool:
        at = cause_of(episode, cause)
        return at is not None and (at, NOTICE_TYPES.index(cause)) <= then

    is_cleared, is_acknowledged = known(CLEARED_NOTICE), known(ACKNOWLEDGED_NOTICE)
    return {
        **episode,
        "status": CLEARED if is_cleared else ACTIVE,
        "clearedAt": episode["clearedAt"] if is_cleared else None,
        "acknowledgedAt": episode["acknowledgedAt"] if is_acknowledged else None,
        "acknowledgedBy": episode["acknowledgedBy"] if is_acknowledged else None,
        "note": episode["note"] if is_acknowledged else None,
        "escalatedAt": episode["escalatedAt"] if known(ESCALATED_NOTICE) else None,
        "notices": {},
    }
