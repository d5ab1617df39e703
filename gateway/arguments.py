"""What the arguments of gateway and simulator mean."""

from __future__ import annotations

import argparse
import math
import os
import re
from collections.abc import Callable, Sequence

_DEVICE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}").fullmatch
_SIZES = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "ki": 2**10, "mi": 2**20, "gi": 2**30}


def add_target(parser: argparse.ArgumentParser) -> None:
    """Which hub."""
    parser.add_argument(
        "--connection",
        default=setting("EventHubConnection"),
        metavar="STR",
        help="connection string, default the environment's EventHubConnection",
    )
    parser.add_argument(
        "--hub",
        default=setting("EventHubName"),
        metavar="NAME",
        help="default the environment's EventHubName, the connection string's EntityPath, or telemetry",
    )


def setting(name: str) -> str | None:
    return os.environ.get(name)


def number(*, above: float = -math.inf, least: float = -math.inf) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"must be a number, not {text!r}") from None
        if not math.isfinite(value) or value <= above or value < least:
            limit = f"above {above:g}" if above > -math.inf else f"{least:g} or more"
            raise argparse.ArgumentTypeError(f"must be {limit}, not {text}")
        return value

    return parse


def named_system(text: str) -> tuple[str, str]:
    system, equals, name = text.partition("=")
    digits = system.rpartition("/")[2]
    if not equals or not digits.isdecimal() or not 0 <= int(digits) <= 255:
        raise argparse.ArgumentTypeError(
            f"must be SYSID=ID with a system id from 0 to 255, as in 1=falcon-1; not {text!r}"
        )
    return system.removesuffix(digits) + str(int(digits)), device_id(name)


def device_id(text: str) -> str:
    if _DEVICE_ID(text) is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no device id: 1 to 64 letters, digits and ._:-")
    return text


def utc_offset(text: str) -> int:
    match = re.fullmatch(r"([+-])(\d{1,2}):?(\d{2})", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"must be as +02:00 or -0700, not {text!r}")
    minutes = int(match[2]) * 60 + int(match[3])
    return minutes if match[1] == "+" else -minutes


def size(text: str) -> int:
    match = re.fullmatch(r"(\d+)\s*([KMG]i?)?B?", text, re.IGNORECASE)
    if match is None:
        raise argparse.ArgumentTypeError(f"must be a size as 500M or 2G, not {text!r}")
    return int(match[1]) * _SIZES[(match[2] or "").lower()]


def with_western_offsets(arguments: Sequence[str]) -> list[str]:
    """argparse takes ``-07:00`` for an option: it is joined to what it belongs to."""
    joined: list[str] = []
    for argument in arguments:
        if joined and joined[-1] == "--utc-offset" and argument.startswith("-"):
            joined[-1] += "=" + argument
        else:
            joined.append(argument)
    return joined
