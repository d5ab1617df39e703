from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.envelope import DamagedEnvelope, pack, unpack
from telemetry.model import Delivery
from tests.support.messages import delivery

FIRST_VERSION = (
    "44544231db000000dd0a53747b22636f756e74223a322c2273697a65223a5b31362c335d2c22687562223a2274656c656d65"
    "747279222c22706172746974696f6e223a2231222c2273657175656e63655f6e756d626572223a5b34322c34335d2c226f66"
    "66736574223a5b2234323030222c2234333030225d2c22656e7175657565645f6174223a22323032362d30332d3031543132"
    "3a30303a30302e3530303030305a222c22636f6e74656e745f74797065223a5b226170706c69636174696f6e2f6a736f6e22"
    "2c6e756c6c5d2c22636f6e74656e745f656e636f64696e67223a6e756c6c7d7b226465766963654964223a2264227d0a0164"
)

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
    context=st.none() | st.fixed_dictionaries({"properties": st.dictionaries(words, words, max_size=2)}),
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


def test_what_the_first_version_wrote_is_read() -> None:
    """Bytes as the code of the first version made them."""
    document = bytes.fromhex(FIRST_VERSION)
    assert unpack(document) == [
        delivery(b'{"deviceId":"d"}', content_type="application/json"),
        delivery(b"\x0a\x01d", sequence_number=43, offset="4300"),
    ]
