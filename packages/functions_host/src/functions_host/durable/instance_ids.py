"""Ids an orchestration may have: the extension's rules, worded as it words them."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection

LONGEST = 256
_FORBIDDEN = frozenset("/\\#?")


def wrong_for_start(instance_id: str) -> str | None:
    """What is wrong with an id that a client chose, or None.

    The texts are those of .NET's ArgumentException, whose two arguments the extension hands over the wrong way round.
    (Over HTTP the real one of 3.15 lets such ids in: see the README.)
    """
    if instance_id.startswith("@"):
        return _argument("Orchestration instance ids must not start with @.")
    if has_forbidden_character(instance_id):
        return _argument("Orchestration instance ids must not contain /, \\, #, ?, or control characters.")
    return _too_long(instance_id)


def wrong_for_child(instance_id: str, ancestors: Collection[str]) -> str | None:
    """What is wrong with the id of a sub-orchestration; `ancestors` are those that wait for it, its parent first."""
    if instance_id.startswith("@"):
        return _argument("Orchestration instance ids must not start with @")
    if has_forbidden_character(instance_id):
        return _argument("Orchestration instance ids must not contain /, \\, #, ?, or control characters.")
    if instance_id in ancestors:
        return f"The sub-orchestration's instance id '{instance_id}' is that of an orchestration that waits for it."
    return _too_long(instance_id)


def wrong_key(key: str) -> str | None:
    """What is wrong with an entity's key that a client signals, or None."""
    if has_forbidden_character(key):
        return "entityKey (Parameter 'Entity keys must not contain /, \\, #, ?, or control characters.')"
    return None


def has_forbidden_character(text: str) -> bool:
    """``/ \\ # ?`` or a control character."""
    if text.isascii() and text.isprintable():
        return not _FORBIDDEN.isdisjoint(text)
    return any(character in _FORBIDDEN or unicodedata.category(character) == "Cc" for character in text)


def _too_long(instance_id: str) -> str | None:
    if len(instance_id.encode("utf-16-le", "surrogatepass")) // 2 > LONGEST:
        return f"Instance ID lengths must not exceed {LONGEST} characters."
    return None


def _argument(text: str) -> str:
    return f"instanceId (Parameter '{text}')"
