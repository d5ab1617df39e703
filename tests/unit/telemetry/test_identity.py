from __future__ import annotations

import re
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from telemetry.identity import batch_id, dead_letter_id, hub_message_id, instance_id, message_id

AT = "2026-03-01T12:00:00.500000Z"
LARGEST = (1 << 63) - 1
LEGAL = re.compile(r"[A-Za-z0-9._:~-]+")

hubs = st.text(min_size=1, max_size=300)
numbers = st.integers(0, LARGEST)


def check(identifier: str, limit: int) -> None:
    assert len(identifier) <= limit
    assert LEGAL.fullmatch(identifier)
    assert quote(identifier, safe="") == identifier.replace(":", "%3A")
    assert identifier.strip(".") != ""


def test_a_batch_id_can_be_read_by_people() -> None:
    assert batch_id("telemetry", "3", 100, 227, AT) == "telemetry~3~100~227~20260301T120000500000Z"
    assert instance_id("telemetry~3~100~227~20260301T120000500000Z", 2).endswith("500000Z~2")


@given(hubs, st.text(min_size=1, max_size=40), numbers, numbers)
def test_ids_are_legal_everywhere_whatever_the_hub_is_called(hub: str, partition: str, a: int, b: int) -> None:
    batch = batch_id(hub, partition, a, b, AT)
    check(batch, 85)
    check(instance_id(batch, 10**9), 100)
    check(dead_letter_id(hub, partition, a, AT, b % 10_000), 85)
    check(hub_message_id(hub, partition, a, AT, 0), 100)


def test_the_longest_parts_still_fit() -> None:
    check(batch_id("x" * 256, "1023", LARGEST, LARGEST, AT), 85)


@given(
    st.lists(st.tuples(hubs, st.sampled_from(["0", "1", "10"]), numbers, numbers), min_size=2, max_size=2, unique=True)
)
def test_different_batches_have_different_ids(parts: list[tuple[str, str, int, int]]) -> None:
    first, second = (batch_id(*part, AT) for part in parts)
    assert first != second


def test_long_hubs_with_a_common_start_are_told_apart() -> None:
    long = "h" * 100
    assert batch_id(long + "a", "0", 1, 2, AT) != batch_id(long + "b", "0", 1, 2, AT)


def test_a_hub_made_anew_gives_new_ids() -> None:
    later = "2026-03-01T12:00:00.500001Z"
    assert batch_id("h", "0", 0, 9, AT) != batch_id("h", "0", 0, 9, later)
    assert dead_letter_id("h", "0", 0, AT, None) != dead_letter_id("h", "0", 0, later, None)
    assert hub_message_id("h", "0", 0, AT, 0) != hub_message_id("h", "0", 0, later, 0)


def test_a_whole_event_is_not_its_first_element() -> None:
    assert dead_letter_id("h", "0", 5, AT, None) != dead_letter_id("h", "0", 5, AT, 0)


def test_content_decides_a_message_id() -> None:
    assert message_id(b"a") == message_id(b"a") != message_id(b"b")
    assert LEGAL.fullmatch(message_id(b"a"))
