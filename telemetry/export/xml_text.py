"""Text and numbers in XML."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape, quoteattr

# What no XML 1.0 document may hold, however escaped.
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def text(value: str) -> str:
    return escape(_ILLEGAL.sub("\ufffd", value))


def attribute(value: str) -> str:
    """With its quotes."""
    return quoteattr(_ILLEGAL.sub("\ufffd", value))


def decimal(value: float) -> str:
    """``xs:decimal`` has no exponent."""
    shortest = repr(value)
    return shortest if "e" not in shortest else f"{value:.12f}"
