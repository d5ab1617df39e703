"""Where reading goes on, and what is said when something is missing."""

from __future__ import annotations

import pytest
from functions_host.eventhubs.checkpoints import BROKEN, Checkpoint
from functions_host.eventhubs.positions import START, PartitionState, resume

STATE = PartitionState(first=10, last=20, last_offset="2000")


def test_a_good_checkpoint_is_gone_on_from() -> None:
    for known in (Checkpoint("1500", 15), Checkpoint("2000", 20), Checkpoint("900", 9)):
        found = resume(known, STATE)
        assert (found.position, found.after, found.warning) == (known.sequence_number, known, "")


def test_offsets_of_geo_replicated_namespaces_are_good() -> None:
    state = PartitionState(10, 20, "1:99:20")
    assert resume(Checkpoint("1:50:15", 15), state).position == "1:50:15"


@pytest.mark.parametrize("offset", ["junk", "", "-5", "12.5", "1" * 40, "99999", "1:2:3:4", "٣"])
def test_a_junk_offset_is_told_and_reading_starts_at_the_oldest(offset: str) -> None:
    found = resume(Checkpoint(offset, 15), STATE)
    assert (found.position, found.after) == (START, None)
    assert "read from its oldest event, number 10; 10 events are gone, numbers 0 to 9" in found.warning
    assert "sequence number 15" in found.warning


def test_a_checkpoint_before_the_oldest_event_says_how_many_are_gone() -> None:
    found = resume(Checkpoint("400", 4), STATE)
    # What is told counts as received: it is not missed once more when the oldest event comes.
    assert (found.position, found.after) == (START, Checkpoint("400", 9))
    assert "5 events are gone, numbers 5 to 9" in found.warning
    assert "1 event is gone, number 9;" in resume(Checkpoint("800", 8), STATE).warning


def test_a_partition_that_lost_all_it_had() -> None:
    found = resume(Checkpoint("400", 4), PartitionState(first=0, last=20, last_offset="2000", is_empty=True))
    assert "16 events are gone, numbers 5 to 20" in found.warning
    assert resume(Checkpoint("2000", 20), PartitionState(0, 20, "2000", is_empty=True)).warning == ""


def test_a_hub_that_was_made_anew_is_read_from_its_start() -> None:
    found = resume(Checkpoint("3000", 30), STATE)
    assert (found.position, found.after) == (START, None)
    assert "made anew" in found.warning


def test_a_broken_checkpoint_means_the_oldest_event_whatever_host_json_says() -> None:
    assert resume(BROKEN, STATE).position == START
