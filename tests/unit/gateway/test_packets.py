from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st
from pymavlink.dialects.v20 import ardupilotmega as dialect

from gateway.mavlink.packets import Packet, Packets
from tests.support.gateway.flights import START, Flight


def kinds(packets: list[Packet]) -> list[str]:
    return [packet.kind for packet in packets]


def test_values_are_what_pymavlink_decodes() -> None:
    data = Flight().position(START + 3.7)
    (packet,) = Packets().feed(data)
    own = dialect.MAVLink(None).decode(bytearray(data))
    assert (packet.system, packet.component, packet.kind) == (1, 1, "GLOBAL_POSITION_INT")
    assert {name: packet.values[name] for name in own.get_fieldnames()} == {
        name: getattr(own, name) for name in own.get_fieldnames()
    }


def test_a_stream_cut_anywhere_gives_the_same_packets() -> None:
    flight = Flight()
    stream = b"".join(packet for step in range(5) for packet in flight.packets(START + step / 10))
    whole = list(Packets().feed(stream))
    for size in (1, 2, 3, 7, 50, 299):
        cut = Packets()
        pieces = [p for at in range(0, len(stream), size) for p in cut.feed(stream[at : at + size])]
        assert kinds(pieces) == kinds(whole)
        assert cut.bad == 0
    assert "ATTITUDE" not in kinds(whole)
    assert kinds(whole).count("GLOBAL_POSITION_INT") == 5


def test_version_1_and_signed_packets_are_read() -> None:
    message = dialect.MAVLink_global_position_int_message(1, 2, 3, 4, 5, 6, 7, 8, 9)
    link = dialect.MAVLink(None, srcSystem=3, srcComponent=1)
    old = bytes(message.pack(link, force_mavlink1=True))
    link.signing.secret_key = bytes(32)
    link.signing.sign_outgoing = True
    signed = bytes(message.pack(link))
    assert old[0] == 0xFE
    assert signed[2] & 1
    packets = list(Packets().feed(old + signed + old))
    assert kinds(packets) == ["GLOBAL_POSITION_INT"] * 3
    assert [p.system for p in packets] == [3, 3, 3]


def test_one_damaged_packet_costs_itself_only_even_when_its_length_lies() -> None:
    flight = Flight()
    good = [flight.position(START + step / 10) for step in range(20)]
    for spoiled_byte in range(len(good[9])):
        damaged = bytearray(good[9])
        damaged[spoiled_byte] ^= 0xFF
        stream = b"".join([*good[:9], bytes(damaged), *good[10:]])
        packets = Packets()
        times = [p.values["time_boot_ms"] for p in packets.feed(stream + good[0] * 10)]
        expected = [flight.boot_ms(START + step / 10) for step in range(20) if step != 9]
        assert times[:19] == expected, f"byte {spoiled_byte}"
        # With another number it looks like a type of another dialect.
        assert packets.bad >= 1 or spoiled_byte in (7, 8, 9)


def test_a_datagram_does_not_wait_for_what_a_torn_one_before_it_promised() -> None:
    flight = Flight()
    packets = Packets()
    assert list(packets.feed_datagram(b"\xfd\xff\x00torn")) == []
    assert kinds(list(packets.feed_datagram(flight.position(START)))) == ["GLOBAL_POSITION_INT"]
    half = flight.position(START + 1)
    assert list(packets.feed_datagram(half[:20])) == []
    assert kinds(list(packets.feed_datagram(half[20:]))) == ["GLOBAL_POSITION_INT"]


def test_a_type_of_another_dialect_is_passed_over() -> None:
    flight = Flight()
    unknown = bytearray(flight.position(START))
    unknown[7:10] = (59_999).to_bytes(3, "little")
    stream = bytes(unknown) + flight.position(START + 1)
    packets = Packets()
    assert kinds(list(packets.feed(stream))) == ["GLOBAL_POSITION_INT"]


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=600), st.integers(0, 2**32))
def test_random_bytes_are_no_exception_and_no_packet_of_anybody_else(noise: bytes, seed: int) -> None:
    rng = random.Random(seed)
    flight = Flight(system=7)
    stream = bytearray(noise + b"".join(flight.packets(START)) + noise)
    for _ in range(rng.randrange(4)):
        stream[rng.randrange(len(stream))] ^= 1 << rng.randrange(8)
    packets = Packets()
    heard = list(packets.feed_datagram(bytes(stream[: rng.randrange(len(stream) + 1)])))
    heard += packets.feed_datagram(bytes(stream))
    # A checksum of 16 bits lets one of 65,536 damaged packets through: these are not random enough for that.
    assert {packet.system for packet in heard} <= {7}
