"""Whether an instance of some version may run on this host (host.json defaultVersion and strategies)."""

from __future__ import annotations

import re

_NUMBERS = re.compile(r"\d+(\.\d+){0,3}")


def compare(left: str | None, right: str | None) -> int:
    """-1, 0 or 1. No version is before any; dotted numbers compare as numbers, all else as text without case."""
    if not left or not right:
        return bool(left) - bool(right)
    if _NUMBERS.fullmatch(left) and _NUMBERS.fullmatch(right):
        one = [int(part) for part in left.split(".")]
        other = [int(part) for part in right.split(".")]
        width = max(len(one), len(other))
        one += [0] * (width - len(one))
        other += [0] * (width - len(other))
        return (one > other) - (one < other)
    folded, other_folded = left.lower(), right.lower()
    return (folded > other_folded) - (folded < other_folded)


def accepts(strategy: str, version: str | None, worker: str | None) -> bool:
    """Whether a host of version `worker` runs an instance of `version`."""
    if strategy == "None":
        return True
    order = compare(version, worker)
    return order == 0 if strategy == "Strict" else order <= 0
