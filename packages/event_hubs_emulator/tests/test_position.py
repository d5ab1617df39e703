"""Starting positions: the selectors azure-eventhub writes, and those nobody should."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
from azure.eventhub._utils import event_position_selector
from event_hubs_emulator.amqp.errors import LinkFault
from event_hubs_emulator.amqp.types import Described, Symbol
from event_hubs_emulator.log.options import LogOptions
from event_hubs_emulator.log.partition_log import PartitionLog
from event_hubs_emulator.position import selector_of, starting_address

TIMES = [1000, 1000, 2000, 3000]


@pytest.fixture
def log(tmp_path: Path) -> PartitionLog[bytes]:
    times = iter([TIMES[0], *TIMES])
    log: PartitionLog[bytes] = PartitionLog(
        tmp_path, "p", lambda event, *_: (0, b"", event), LogOptions(), lambda: next(times)
    )
    for body in (b"0", b"1", b"2", b"3"):
        log.append([body])
    return log


def _number(log: PartitionLog[bytes], value: Any, inclusive: bool = False) -> int:
    """The sequence number of the event a position starts with; 4 at the end."""
    address = starting_address(log, event_position_selector(value, inclusive).decode())
    return (
        4
        if address == log.end
        else next(n for n in range(4) if log.after_sequence_number(n, inclusive=True) == address)
    )


def test_every_kind_of_position_inclusive_or_not(log: PartitionLog[bytes]) -> None:
    offset = str(log.after_sequence_number(2, inclusive=True))
    at = datetime.datetime.fromtimestamp(1, tz=datetime.timezone.utc)
    assert [_number(log, value) for value in ("-1", "@latest", offset, 2, at)] == [0, 4, 3, 3, 2]
    assert [_number(log, value, True) for value in ("-1", "@latest", offset, 2, at)] == [0, 4, 2, 2, 0]
    assert _number(log, 3) == 4
    assert starting_address(log, None) == log.start


@pytest.mark.parametrize("value", [10**9, "1000000000"])
def test_a_position_beyond_the_log_is_an_error(log: PartitionLog[bytes], value: Any) -> None:
    with pytest.raises(LinkFault, match=r"argument-error.*invalid\. The last"):
        _number(log, value)


@pytest.mark.parametrize(
    "selector",
    [
        "",
        "offset > 1",
        "amqp.annotation.x-opt-offset > 'x'",
        "amqp.annotation.x-opt-offset = '1'",
        f"amqp.annotation.x-opt-sequence-number > '{2**63}'",
    ],
)
def test_a_selector_that_names_no_position_is_an_error(log: PartitionLog[bytes], selector: str) -> None:
    with pytest.raises(LinkFault, match="invalid-field"):
        starting_address(log, selector)


def test_the_selector_is_found_in_the_source() -> None:
    name = Symbol("apache.org:selector-filter:string")
    fields: list[Any] = ["hub", *[None] * 6, {name: Described(name, "it")}]
    assert selector_of(Described(0x28, fields)) == "it"
    assert selector_of(Described(0x28, [*fields[:7], {name: b"raw"}])) == "raw"
    assert [selector_of(value) for value in (None, Described(0x28, ["hub"]), Described(0x28, [*fields[:7], {}]))] == [
        None
    ] * 3
