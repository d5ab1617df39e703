"""The activities of the alerts' orchestrators: their names, what they are handed and what they answer."""

from __future__ import annotations

from typing import TypedDict

from settings import Alerts

LOOK = "look_at_alerts"
TELL = "tell_alert"
ESCALATE = "escalate_alert"
SEND = "send_notice"
ALERT_STEPS = (LOOK, TELL, ESCALATE, SEND)


def busy_seconds(alerts: Alerts) -> float:
    """The longest pause after a look that found a note, and for how long those that follow wake nobody: short enough
    for a condition to be known before it has lasted for its dwell."""
    return min(max(0.9 * alerts.raise_seconds, 0.5), 2.0)


class Pause(TypedDict):
    """Seconds."""

    pause: float


class AlertReference(TypedDict):
    alertId: str


class Told(TypedDict):
    """``open``: not cleared yet. ``escalateIn``: seconds, None where it is not to be escalated any more."""

    open: bool
    acknowledged: bool
    escalateIn: float | None
    stage: str


class NoticeReference(TypedDict):
    """One notice on its way to one receiver. ``tries``: those that were made."""

    alertId: str
    kind: str
    receiver: str
    round: int
    tries: int


class Sent(TypedDict):
    """``done``: delivered, given up, or nobody's business any more. ``retryIn``: seconds until the next try."""

    done: bool
    delivered: bool
    retryIn: float
    tries: int
