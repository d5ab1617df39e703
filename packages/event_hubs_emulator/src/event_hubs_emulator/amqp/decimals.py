"""Decimals of IEEE 754-2008 in the binary encoding, as AMQP has them."""

from __future__ import annotations

from decimal import Decimal

# By size in bytes: bits of the exponent, its bias, the largest coefficient.
_LAYOUT = {4: (8, 101, 10**7 - 1), 8: (10, 398, 10**16 - 1), 16: (14, 6176, 10**34 - 1)}


def decimal_text(raw: bytes) -> str:
    """The number in `raw` (4, 8 or 16 bytes, big-endian) as text, such as ``-1.50``, ``1E+20``, ``NaN``."""
    exponent_bits, bias, largest = _LAYOUT[len(raw)]
    bits = int.from_bytes(raw, "big")
    width = len(raw) * 8
    sign = bits >> (width - 1)
    below_sign = bits & ((1 << (width - 1)) - 1)
    leading = below_sign >> (width - 6)
    if leading == 0b11111:
        return "NaN"
    if leading == 0b11110:
        return "-Infinity" if sign else "Infinity"
    if leading >> 3 == 0b11:
        # The exponent moves two bits to the right; the coefficient begins with an implied 100.
        coefficient_bits = width - 3 - exponent_bits
        exponent = (below_sign >> coefficient_bits) & ((1 << exponent_bits) - 1)
        coefficient = (0b100 << coefficient_bits) | (below_sign & ((1 << coefficient_bits) - 1))
    else:
        coefficient_bits = width - 1 - exponent_bits
        exponent = below_sign >> coefficient_bits
        coefficient = below_sign & ((1 << coefficient_bits) - 1)
    if coefficient > largest:
        # Not a number that anybody writes; the standard reads it as zero.
        coefficient = 0
    digits = tuple(int(digit) for digit in str(coefficient))
    return str(Decimal((sign, digits, exponent - bias)))
