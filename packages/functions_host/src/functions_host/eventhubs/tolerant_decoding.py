"""One event that azure-eventhub cannot decode harms only itself.

azure-eventhub's decoder knows no char, decimal32 and decimal64, and an exception in it ends the receiver, which then
meets the same event again, indefinitely. Here the missing types are added, and an event that still fails is taken apart
section by section: what can be read stays, a body stays as its bytes, and an annotation (``events.DAMAGE``) names the
rest.
"""

from __future__ import annotations

import importlib
import struct
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from functions_host.eventhubs.events import DAMAGE

_DECODER = "azure.eventhub._pyamqp._decode"
_RECEIVER = "azure.eventhub._pyamqp.aio._receiver_async"
_MESSAGE = "azure.eventhub._pyamqp.message"

# Section descriptors of AMQP 1.0, part 3.2.
_HEADER, _DELIVERY, _ANNOTATIONS, _PROPERTIES, _APPLICATION, _DATA, _SEQUENCE, _VALUE, _FOOTER = range(0x70, 0x79)
_NAMES = {
    _HEADER: "header", _DELIVERY: "delivery_annotations", _ANNOTATIONS: "message_annotations",
    _PROPERTIES: "properties", _APPLICATION: "application_properties", _FOOTER: "footer",
}  # fmt: skip
_FIXED = {4: 0, 5: 1, 6: 2, 7: 4, 8: 8, 9: 16}

_BROKEN = (IndexError, ValueError, struct.error, RecursionError)

Decoder = Callable[[memoryview], Any]


def install_tolerant_decoding() -> bool:
    """Put it under azure-eventhub's receivers in this process. False if the SDK is built differently by now."""
    try:
        decoder, receiver = importlib.import_module(_DECODER), importlib.import_module(_RECEIVER)
        table, original = decoder._DECODE_BY_CONSTRUCTOR, receiver.decode_payload
    except (ImportError, AttributeError):
        return False
    if getattr(original, "is_tolerant", False):
        return True
    for constructor, decode in ((0x73, _char), (0x74, _decimal32), (0x84, _decimal64)):
        table[constructor] = table[constructor] or decode
    receiver.__dict__["decode_payload"] = tolerant(original)
    return True


def tolerant(original: Decoder) -> Decoder:
    """The SDK's `decode_payload`, with a second try for what it raises on."""

    def decode_payload(buffer: memoryview) -> Any:
        try:
            return original(buffer)
        except Exception as error:
            return salvage(bytes(buffer), original, f"{type(error).__name__}: {error}")

    decode_payload.is_tolerant = True  # type: ignore[attr-defined]
    return decode_payload


def salvage(payload: bytes, original: Decoder, reason: str) -> Any:
    """A pyamqp Message of what can be read of `payload`."""
    parts: dict[str, Any] = {}
    body: dict[str, list[Any]] = {}
    damage: list[str] = []
    for descriptor, section, value in _sections(payload):
        try:
            if section is None:
                raise ValueError("the rest of the message is no section")
            for name, found in original(memoryview(section))._asdict().items():
                if isinstance(found, list):
                    body.setdefault(name, []).extend(found)
                elif found is not None:
                    parts[name] = found
        except Exception as error:
            if descriptor in (_ANNOTATIONS, _APPLICATION, _DELIVERY, _FOOTER):
                parts[_NAMES[descriptor]], lost = _entries(value)
                damage.append(f"{_NAMES[descriptor]} without {', '.join(lost) or 'anything'}")
            elif descriptor in _NAMES:
                damage.append(f"no {_NAMES[descriptor]}")
            else:
                body.setdefault("data", []).append(value)
                damage.append(f"the body's encoded bytes ({type(error).__name__}: {error})")
    annotations = dict(parts.get("message_annotations") or {})
    annotations[DAMAGE] = f"{reason}; handed over: {'; '.join(damage)}" if damage else reason
    message = importlib.import_module(_MESSAGE).Message
    return message(**{**parts, **body, "message_annotations": annotations})


def _sections(payload: bytes) -> Iterator[tuple[int, bytes | None, bytes]]:
    """Descriptor, whole section and its value. What has no more structure comes last, as data."""
    position = 0
    while position < len(payload):
        start = position
        try:
            if payload[start] != 0:
                raise ValueError("no section")
            value = _end(payload, start + 1)
            descriptor, position = payload[value - 1], _end(payload, value)
        except _BROKEN:
            yield _DATA, None, payload[start:]
            return
        # azure-eventhub takes for granted that a descriptor is two bytes, constructor and number.
        yield descriptor, b"\x00\x53" + bytes([descriptor]) + payload[value:position], payload[value:position]


def _end(payload: bytes, position: int) -> int:
    """Where the value that starts at `position` ends, told by its constructor alone."""
    while payload[position] == 0:
        position = _end(payload, position + 1)
    width = payload[position] >> 4
    if width in _FIXED:
        end = position + 1 + _FIXED[width]
    elif width in (0xA, 0xC, 0xE):
        end = position + 2 + payload[position + 1]
    elif width in (0xB, 0xD, 0xF):
        end = position + 5 + int(struct.unpack_from(">I", payload, position + 1)[0])
    else:
        raise ValueError("no AMQP constructor")
    if end > len(payload):
        raise ValueError("longer than the message")
    return end


def _entries(value: bytes) -> tuple[dict[Any, Any], list[str]]:
    """The entries of an encoded map that can be decoded, and the names of those that cannot."""
    table = importlib.import_module(_DECODER)._DECODE_BY_CONSTRUCTOR
    found: dict[Any, Any] = {}
    lost: list[str] = []
    position = {0xC1: 3, 0xD1: 9}.get(value[0] if value else 0, len(value))
    while position < len(value):
        try:
            middle = _end(value, position)
            end = _end(value, middle)
        except _BROKEN:
            lost.append("the rest")
            break
        name: Any = None
        try:
            name = table[value[position]](memoryview(value)[position + 1 : middle])[1]
            found[name] = table[value[middle]](memoryview(value)[middle + 1 : end])[1]
        except Exception:
            lost.append("an entry" if name is None else repr(name))
        position = end
    return found, lost


def _char(buffer: memoryview) -> tuple[memoryview, str]:
    number = int(struct.unpack(">I", buffer[:4])[0])
    valid = number < 0x110000 and not 0xD800 <= number < 0xE000
    return buffer[4:], chr(number) if valid else f"U+{number:04X}"


def _decimal32(buffer: memoryview) -> tuple[memoryview, Decimal]:
    return buffer[4:], decimal_of(buffer[:4].tobytes(), exponent_bits=8, bias=101, digits=7)


def _decimal64(buffer: memoryview) -> tuple[memoryview, Decimal]:
    return buffer[8:], decimal_of(buffer[:8].tobytes(), exponent_bits=10, bias=398, digits=16)


def decimal_of(raw: bytes, *, exponent_bits: int, bias: int, digits: int) -> Decimal:
    """An IEEE 754-2008 decimal in binary integer encoding, as AMQP has them."""
    bits = len(raw) * 8
    number = int.from_bytes(raw, "big")
    sign, rest = number >> (bits - 1), number & ((1 << (bits - 1)) - 1)
    if rest >> (bits - 5) == 0b1111:
        infinite = (rest >> (bits - 6)) & 1 == 0
        return Decimal(("Infinity", "-Infinity")[sign] if infinite else "NaN")
    if rest >> (bits - 3) == 0b11:
        tail = bits - 3 - exponent_bits
        coefficient = (0b100 << tail) | (rest & ((1 << tail) - 1))
    else:
        tail = bits - 1 - exponent_bits
        coefficient = rest & ((1 << tail) - 1)
    exponent = (rest >> tail) & ((1 << exponent_bits) - 1)
    # A coefficient with more digits than the type has counts as zero (IEEE 754-2008, 3.5.2).
    coefficient = coefficient if coefficient < 10**digits else 0
    return Decimal((sign, tuple(int(digit) for digit in str(coefficient)), exponent - bias))
