"""Clients that speak something else: what their first bytes ask for, and what they are told."""

from __future__ import annotations

_HTTP = (b"GET ", b"POST ", b"PUT ", b"HEAD ", b"OPTIONS ", b"CONNECT ", b"DELETE ", b"PATCH ", b"PRI * ")
_ADVICE = "this port speaks AMQP 1.0 over plain TCP"
# Kafka numbers its requests; none has a number beyond this yet.
_KAFKA_KEYS = 128


def asked_for(first: bytes) -> tuple[str, bytes | None]:
    """What a client wants by its first bytes (at least 8), for the log, and the answer; None if AMQP has to say it."""
    if first.startswith(_HTTP):
        line = first.split(b"\r\n", 1)[0][:120].decode("latin-1")
        websocket = b"upgrade: websocket" in first.lower()
        what = f"AMQP over WebSockets ({line!r})" if websocket else f"HTTP ({line!r})"
        return f"{what} was asked for; {_ADVICE}", _http_answer()
    if first[:2] == b"\x16\x03":
        return f"TLS was asked for; {_ADVICE}: set UseDevelopmentEmulator=true in the connection string", None
    if first[:1] == b"\x00" and int.from_bytes(first[4:6], "big") < _KAFKA_KEYS:
        key = int.from_bytes(first[4:6], "big")
        return f"the Kafka protocol was asked for (request {key}); {_ADVICE}", b""
    return f"{first[:8]!r} is no AMQP 1.0; {_ADVICE}", None


def _http_answer() -> bytes:
    body = f"{_ADVICE}; HTTP and WebSockets are not spoken here\n".encode()
    head = "HTTP/1.1 501 Not Implemented\r\nContent-Type: text/plain\r\nConnection: close\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
