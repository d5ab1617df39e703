"""Content encodings: each is unpacked, bounded, and named when it is broken or unknown."""

from __future__ import annotations

import gzip
import zlib

import brotli  # type: ignore[import-untyped]
import pytest
from backports import zstd

from telemetry import encodings
from telemetry.rejection import EventRejected
from tests.support.frames import frame
from tests.support.messages import FULL, accept, codes, delivery, reject

PACKED = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": zstd.compress,
    "br": brotli.compress,
}
BODY = delivery(FULL).body


def raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


@pytest.mark.parametrize("name", PACKED)
def test_each_encoding_is_unpacked(name: str) -> None:
    plain = accept(FULL)
    assert accept(PACKED[name](BODY), content_encoding=name) == plain
    assert accept(PACKED[name](BODY), content_encoding=f" {name.upper()} ") == plain
    assert accept(PACKED[name](frame(deviceId="d")), content_encoding=name)["deviceId"] == "d"


def test_a_bare_deflate_stream_is_taken_for_what_it_is() -> None:
    assert accept(raw_deflate(BODY), content_encoding="deflate") == accept(FULL)


def test_several_zstd_frames_are_one_body() -> None:
    assert accept(zstd.compress(BODY[:50]) + zstd.compress(BODY[50:]), content_encoding="zstd") == accept(FULL)


@pytest.mark.parametrize("name", ["utf-8", "UTF-8", "identity", "", " "])
def test_these_pack_nothing(name: str) -> None:
    assert accept(BODY, content_encoding=name) == accept(FULL)
    assert accept(gzip.compress(BODY), content_encoding=name) == accept(FULL)


@pytest.mark.parametrize("name", ["compress", "x", "gzip, br", "utf-16"])
def test_others_are_named(name: str) -> None:
    (error,) = reject(BODY, content_encoding=name)
    assert error["code"] == "unsupported_content_encoding"
    assert name in error["detail"]
    assert "zstd" in error["detail"]


@pytest.mark.parametrize("name", PACKED)
def test_a_broken_stream_is_malformed(name: str) -> None:
    code = "malformed_gzip" if name == "gzip" else "malformed_encoding"
    packed = PACKED[name](BODY)
    for broken in (BODY, packed[:-1], packed[: len(packed) // 2], b"\x00\xff" * 20):
        assert codes(reject(broken, content_encoding=name)) == [(code, None)], broken


@pytest.mark.parametrize("name", PACKED)
def test_each_is_bounded(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encodings, "MAX_UNPACKED_BYTES", 1000)
    assert encodings.unpack(PACKED[name](b"x" * 1000), name) == b"x" * 1000
    with pytest.raises(EventRejected) as rejected:
        encodings.unpack(PACKED[name](b"x" * 1001), name)
    assert rejected.value.error["code"] == "too_large"


@pytest.mark.parametrize("name", PACKED)
def test_a_bomb_is_not_unpacked(name: str) -> None:
    bomb = PACKED[name](bytes(64 * 1024 * 1024))
    assert codes(reject(bomb, content_encoding=name)) == [("too_large", None)]


def test_a_zstd_frame_cannot_ask_for_any_amount_of_memory() -> None:
    window = zstd.CompressionParameter.window_log
    body = zstd.compress(BODY * 2000, options={window: 27, zstd.CompressionParameter.enable_long_distance_matching: 1})
    huge = zstd.ZstdCompressor(options={window: 27})
    streamed = huge.compress(BODY) + huge.flush()
    assert encodings.unpack(body, "zstd") == BODY * 2000  # small enough for the window that is allowed
    with pytest.raises(EventRejected, match="emory"):
        encodings.unpack(streamed, "zstd")


def test_packed_bodies_are_known_by_magic_or_name() -> None:
    assert encodings.is_packed(gzip.compress(b"x"), None)
    assert encodings.is_packed(b"x", "br")
    assert not encodings.is_packed(b"x", "utf-8")
    assert not encodings.is_packed(b"x", None)
