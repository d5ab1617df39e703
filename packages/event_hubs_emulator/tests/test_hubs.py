"""Hubs on disk, and which partition an event goes to."""

from __future__ import annotations

from pathlib import Path

import pytest
from azure.eventhub._buffered_producer._partition_resolver import PartitionResolver
from event_hubs_emulator.hubs import HubConfigError, Hubs, parse_hub
from event_hubs_emulator.log.files import DataLockedError
from event_hubs_emulator.log.options import LogOptions
from event_hubs_emulator.partition_key import partition_of
from hypothesis import given
from hypothesis import strategies as st

OPTIONS = LogOptions()


@given(st.text(min_size=1, max_size=60), st.integers(1, 32))
def test_keys_go_where_the_sdk_sends_them(key: str, partitions: int) -> None:
    resolver = PartitionResolver([str(number) for number in range(partitions)])
    assert str(partition_of(key, partitions)) == resolver.get_partition_id_by_partition_key(key)


def test_known_keys_go_to_known_partitions() -> None:
    assert [partition_of(f"drone-{number}", 4) for number in range(8)] == [
        int(PartitionResolver(["0", "1", "2", "3"]).get_partition_id_by_partition_key(f"drone-{number}"))
        for number in range(8)
    ]
    assert len({partition_of(f"drone-{number}", 4) for number in range(100)}) == 4


def test_events_without_a_key_go_round(tmp_path: Path) -> None:
    hubs = Hubs(tmp_path, {"h": 3}, OPTIONS)
    hub = hubs.find("h")
    assert hub is not None
    assert {hub.route(None).label for _ in range(3)} == {f"hub h partition {number}" for number in range(3)}
    assert hub.route("k") is hub.partitions[partition_of("k", 3)]
    hubs.close()


def test_names_are_found_in_any_case_and_partitions_only_as_written(tmp_path: Path) -> None:
    hubs = Hubs(tmp_path, {"Telemetry": 12}, OPTIONS)
    hub = hubs.find("tELEMETRY")
    assert hub is not None
    assert hub.name == "Telemetry"
    assert hub.partition("11") is hub.partitions[11]
    assert [hub.partition(text) for text in ("12", "01", "-1", "", "x", "²")] == [None] * 6
    hubs.close()


def test_hubs_of_the_folder_are_served_again_and_may_grow(tmp_path: Path) -> None:
    hubs = Hubs(tmp_path, {"Telemetry": 2}, OPTIONS)
    created = next(iter(hubs)).created_ms
    hubs.close()
    hubs = Hubs(tmp_path, {}, OPTIONS)
    assert [(hub.name, len(hub.partitions), hub.created_ms) for hub in hubs] == [("Telemetry", 2, created)]
    hubs.close()
    Hubs(tmp_path, {"telemetry": 5}, OPTIONS).close()
    hubs = Hubs(tmp_path, {}, OPTIONS)
    assert [len(hub.partitions) for hub in hubs] == [5]
    hubs.close()
    with pytest.raises(HubConfigError, match="has 5 partitions"):
        Hubs(tmp_path, {"telemetry": 4}, OPTIONS)
    Hubs(tmp_path, {}, OPTIONS).close()


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    hubs = Hubs(tmp_path, {"a": 1}, OPTIONS)
    with pytest.raises(DataLockedError):
        Hubs(tmp_path, {"a": 1}, OPTIONS)
    hubs.close()


def test_hub_arguments() -> None:
    assert parse_hub("telemetry:8") == ("telemetry", 8)
    assert parse_hub("telemetry") == ("telemetry", 4)
    for wrong in ("", ":4", "a:", "a:0", "a:1025", "a:x", "../up:1", "a/b:1", ".hidden:1", "a:-1"):
        with pytest.raises(HubConfigError):
            parse_hub(wrong)
