"""What is counted and measured. Without an exporter every call returns at once; with one, none ever fails its caller.

Names follow OpenTelemetry's conventions: a unit of its own and no unit in the name. Attributes have few values: stages
and error codes, never ids.
"""

from __future__ import annotations

import functools
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from telemetry.times import seconds_between

F = TypeVar("F", bound=Callable[..., None])

_LOGGER = logging.getLogger("dronetelemetry")


class Meter(Protocol):
    """The part of ``opentelemetry.metrics.Meter`` that is used."""

    def create_counter(self, name: str, unit: str = "", description: str = "") -> Any: ...

    def create_histogram(self, name: str, unit: str = "", description: str = "") -> Any: ...


class Instruments:
    def __init__(self, meter: Meter) -> None:
        self.received = meter.create_counter("telemetry.received", "{event}", "Events kept in the ledger, first time")
        self.batch_events = meter.create_histogram("telemetry.batch.events", "{event}", "Events in one batch")
        self.batch_messages = meter.create_histogram("telemetry.batch.messages", "{message}", "Messages in one batch")
        self.messages = meter.create_counter(
            "telemetry.messages", "{message}", "Messages of completed batches by outcome (stored, duplicate, rejected)"
        )
        self.rejections = meter.create_counter("telemetry.rejections", "{error}", "Broken rules by code, replays too")
        self.batches = meter.create_counter("telemetry.batches", "{batch}", "Ended batches by outcome and stage")
        self.lag = meter.create_histogram("telemetry.lag", "s", "From enqueued to stored, a batch's oldest message")
        self.stage_duration = meter.create_histogram("telemetry.stage.duration", "s", "One run of one stage")
        self.retries = meter.create_counter(
            "telemetry.retries", "{retry}", "Failed tries that are tried again, by step"
        )


_instruments: Instruments | None = None


def enable(meter: Meter | None) -> None:
    """Measure with ``meter`` from now on; None stops it."""
    global _instruments
    _instruments = None if meter is None else Instruments(meter)


def enabled() -> bool:
    return _instruments is not None


def _harmless(record: F) -> F:
    @functools.wraps(record)
    def guarded(*args: Any, **kwargs: Any) -> None:
        if _instruments is None:
            return
        try:
            record(*args, **kwargs)
        except Exception:
            _LOGGER.warning("measurement lost", exc_info=True)

    return guarded  # type: ignore[return-value]


def _get() -> Instruments:
    assert _instruments is not None
    return _instruments


@_harmless
def batch_received(events: int) -> None:
    _get().received.add(events)


@_harmless
def batch_validated(events: int, messages: Sequence[Any], letters: Sequence[Mapping[str, Any]]) -> None:
    _get().batch_events.record(events)
    _get().batch_messages.record(len(messages) + len(letters))
    for code, number in Counter(error["code"] for letter in letters for error in letter["errors"]).items():
        _get().rejections.add(number, {"code": code})


@_harmless
def batch_stored(messages: Sequence[Mapping[str, Any]], at: str) -> None:
    if messages:
        _get().lag.record(max(0.0, seconds_between(min(message["enqueuedAt"] for message in messages), at)))


@_harmless
def batch_completed(outcomes: Mapping[str, int]) -> None:
    """``outcomes``: messages by what became of them."""
    _get().batches.add(1, {"outcome": "completed"})
    for outcome, number in outcomes.items():
        if number:
            _get().messages.add(number, {"outcome": outcome})


@_harmless
def batch_failed(stage: str) -> None:
    _get().batches.add(1, {"outcome": "failed", "stage": stage})


@_harmless
def stage_ran(stage: str, seconds: float, failed: bool) -> None:
    _get().stage_duration.record(seconds, {"stage": stage, "outcome": "failed" if failed else "done"})
    if failed:
        _get().retries.add(1, {"step": stage})


@_harmless
def retried(step: str) -> None:
    _get().retries.add(1, {"step": step})
