"""``INJECT_FAULTS``: failures of the store that are rehearsed."""

from __future__ import annotations

import re
from dataclasses import dataclass

from settings.errors import SettingError
from settings.reader import Reader

_FAULT = re.compile(r"(ledger|messages|deadletters)\.(read|write):(before|after):([1-9][0-9]{0,8})")


@dataclass(frozen=True)
class InjectedFault:
    """A rehearsed failure: the next ``times`` calls of ``port``.``operation`` fail before or after their effect."""

    port: str
    operation: str
    when: str
    times: int


def read_faults(read: Reader) -> tuple[InjectedFault, ...]:
    value = read.optional("INJECT_FAULTS")
    faults = []
    for part in re.split("[,;]", value or ""):
        if not part.strip():
            continue
        match = _FAULT.fullmatch(part.strip())
        if match is None:
            raise SettingError(
                "INJECT_FAULTS",
                f"has {part.strip()!r}; allowed: PORT.OPERATION:WHEN:TIMES with PORT ledger, messages or deadletters, "
                "OPERATION read or write, WHEN before or after, several separated by , or ;",
            )
        faults.append(InjectedFault(match[1], match[2], match[3], int(match[4])))
    return tuple(faults)
