"""The performatives we send, each a whole frame. The fields a caller does not name are null."""

from __future__ import annotations

from collections.abc import Sequence

from .encoding import NULL, TRUE, boolean, string, symbol_array, ubyte, uint, ulong, ushort
from .errors import AmqpError
from .performatives import (
    ATTACH,
    BEGIN,
    CLOSE,
    DETACH,
    DISPOSITION,
    END,
    FLOW,
    OPEN,
    SASL_MECHANISMS,
    SASL_OUTCOME,
    error,
    performative,
)

_SASL = 1


def sasl_mechanisms(names: Sequence[str]) -> bytes:
    return performative(0, SASL_MECHANISMS, [symbol_array(names)], _SASL)


def sasl_outcome(code: int) -> bytes:
    return performative(0, SASL_OUTCOME, [ubyte(code), NULL], _SASL)


def open_frame(
    container_id: str,
    max_frame_size: int | None = None,
    channel_max: int | None = None,
    idle_timeout_ms: int | None = None,
    properties: bytes = NULL,
) -> bytes:
    """open; `properties` is encoded already."""
    fields = [string(container_id), NULL]
    fields.append(NULL if max_frame_size is None else uint(max_frame_size))
    fields.append(NULL if channel_max is None else ushort(channel_max))
    fields.append(NULL if idle_timeout_ms is None else uint(idle_timeout_ms))
    return performative(0, OPEN, [*fields, NULL, NULL, NULL, NULL, properties])


def begin(channel: int, remote_channel: int, window: int, handle_max: int) -> bytes:
    """begin; `window` holds both ways."""
    fields = [ushort(remote_channel), uint(0), uint(window), uint(window), uint(handle_max), NULL, NULL, NULL]
    return performative(channel, BEGIN, fields)


def attach(
    channel: int,
    *,
    name: str,
    handle: int,
    role: bool,
    send_settle_mode: int,
    receive_settle_mode: int,
    source: bytes,
    target: bytes,
    initial_delivery_count: int | None,
    max_message_size: int,
) -> bytes:
    """attach; `source` and `target` are encoded already."""
    fields = [string(name), uint(handle), boolean(role), ubyte(send_settle_mode), ubyte(receive_settle_mode)]
    count = NULL if initial_delivery_count is None else uint(initial_delivery_count)
    fields += [source, target, NULL, boolean(False), count, ulong(max_message_size), NULL, NULL, NULL]
    return performative(channel, ATTACH, fields)


def session_flow(channel: int, next_incoming_id: int, next_outgoing_id: int, window: int) -> bytes:
    """flow that speaks of the session alone; `window` holds both ways."""
    fields = [uint(next_incoming_id), uint(window), uint(next_outgoing_id), uint(window)]
    return performative(channel, FLOW, [*fields, NULL, NULL, NULL, NULL, NULL, boolean(False), NULL])


def link_flow(
    channel: int,
    next_incoming_id: int,
    next_outgoing_id: int,
    window: int,
    *,
    handle: int,
    delivery_count: int,
    credit: int,
    drain: bool,
) -> bytes:
    """flow with the state of one link; nothing is said to be available."""
    fields = [uint(next_incoming_id), uint(window), uint(next_outgoing_id), uint(window)]
    fields += [uint(handle), uint(delivery_count), uint(credit), uint(0), boolean(drain), boolean(False), NULL]
    return performative(channel, FLOW, fields)


def disposition(channel: int, role: bool, first: int, last: int, state: bytes) -> bytes:
    """disposition that settles deliveries; `state` is encoded already."""
    return performative(channel, DISPOSITION, [boolean(role), uint(first), uint(last), TRUE, state, NULL])


def detach(channel: int, handle: int, *, closed: bool, fault: AmqpError | None = None) -> bytes:
    return performative(channel, DETACH, [uint(handle), boolean(closed), _error_or_null(fault)])


def end(channel: int, fault: AmqpError | None = None) -> bytes:
    return performative(channel, END, [_error_or_null(fault)])


def close(fault: AmqpError | None = None) -> bytes:
    return performative(0, CLOSE, [_error_or_null(fault)])


def _error_or_null(fault: AmqpError | None) -> bytes:
    return error(fault) if fault else NULL
