from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.envelope import DamagedEnvelope, pack, unpack
from telemetry.model import Delivery
from tests.unit.telemetry.builders import delivery

words = st.text(max_size=12)
deliveries = st.builds(
    Delivery,
    hub=words,
    partition=words,
    sequence_number=st.integers(0, (1 << 63) - 1),
    offset=words,
    enqueued_at=words,
    body=st.binary(max_size=60),
    content_type=st.none() | words,
    content_encoding=st.none() | words,
)


@given(st.lists(deliveries, max_size=6))
def test_what_was_packed_is_unpacked(batch: list[Delivery]) -> None:
    assert unpack(pack(batch)) == batch


def test_bodies_lie_untouched_and_the_rest_is_small() -> None:
    batch = [
        delivery(bytes([i % 256]) * 300, sequence_number=i, offset=str(i * 400), content_type="application/json")
        for i in range(1000)
    ]
    document = pack(batch)
    assert batch[17].body in document
    assert len(document) < 1000 * 300 * 1.25


@given(st.data())
def test_any_damage_is_a_damaged_envelope(data: st.DataObject) -> None:
    document = pack([delivery(b"abc"), delivery(b"defgh", sequence_number=43)])
    position = data.draw(st.integers(0, len(document) - 1))
    change = data.draw(st.integers(1, 255))
    changed = bytearray(document)
    changed[position] ^= change
    with pytest.raises(DamagedEnvelope):
        unpack(bytes(changed))


def test_every_truncation_is_a_damaged_envelope() -> None:
    document = pack([delivery(b"abc"), delivery(b"defgh", sequence_number=43)])
    for length in range(len(document)):
        with pytest.raises(DamagedEnvelope):
            unpack(document[:length])
    with pytest.raises(DamagedEnvelope):
        unpack(document + b"x")


def test_another_version_is_named() -> None:
    with pytest.raises(DamagedEnvelope, match="DTB9"):
        unpack(b"DTB9" + pack([])[4:])
