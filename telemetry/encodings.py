"""Content encodings of a body: which there are, and how each is unpacked, to a bounded size."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import brotli  # type: ignore[import-untyped]
from backports import zstd

from telemetry.rejection import EventRejected
from telemetry.vocabulary import EventErrorCode

MAX_UNPACKED_BYTES = 16 * 1024 * 1024

GZIP_MAGIC = b"\x1f\x8b"
_CHUNK = 64 * 1024
_NOT_PACKED = frozenset({"", "identity", "utf-8", "utf8"})
# A frame may ask for a window, which is memory, of up to 2 GiB; nothing that fits needs more than this.
_ZSTD_WINDOW = {int(zstd.DecompressionParameter.window_log_max): 24}


def is_packed(body: bytes, content_encoding: str | None) -> bool:
    """Whether ``unpack`` would unpack it (or refuse its encoding)."""
    return body[:2] == GZIP_MAGIC or (content_encoding is not None and _name(content_encoding) not in _NOT_PACKED)


def is_known(content_encoding: str) -> bool:
    """Whether ``unpack`` knows it."""
    return _name(content_encoding) in _NOT_PACKED or _name(content_encoding) in ENCODINGS


def unpack(body: bytes, content_encoding: str | None) -> bytes:
    """The body without its encoding; gzip also where only its magic says so. Raises EventRejected."""
    name = "" if content_encoding is None else _name(content_encoding)
    if not body:
        return body
    if name in _NOT_PACKED:
        return _gunzip(body) if body[:2] == GZIP_MAGIC else body
    unpacker = ENCODINGS.get(name)
    if unpacker is None:
        known = ", ".join(sorted(ENCODINGS))
        raise EventRejected(
            "unsupported_content_encoding",
            f"content encoding {content_encoding[:64]!r}; known: {known}",  # type: ignore[index]
        )
    return unpacker(body)


def _name(content_encoding: str) -> str:
    return content_encoding.strip().lower()


def _too_large() -> EventRejected:
    return EventRejected("too_large", f"unpacks to more than {MAX_UNPACKED_BYTES} bytes")


def _gunzip(body: bytes) -> bytes:
    return _inflate(body, 31, "malformed_gzip", "gzip")


def _deflate(body: bytes) -> bytes:
    """zlib's format, as HTTP means it; and, as HTTP's clients do, the bare stream that some senders take it for."""
    wrapped = len(body) > 1 and body[0] & 15 == 8 and int.from_bytes(body[:2], "big") % 31 == 0
    return _inflate(body, zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS, "malformed_encoding", "deflate")


def _inflate(body: bytes, wbits: int, code: EventErrorCode, what: str) -> bytes:
    """All members of a stream, fed in chunks: what is left of a chunk after a member is copied, so a stream of many
    tiny members in one piece would cost the square of its length."""
    out: list[bytes] = []
    room = MAX_UNPACKED_BYTES
    inflater = zlib.decompressobj(wbits=wbits)
    begun = False
    try:
        for start in range(0, len(body), _CHUNK):
            chunk = body[start : start + _CHUNK]
            while chunk:
                if not begun and out and not chunk.strip(b"\0"):
                    break  # padding after the last member
                begun = True
                piece = inflater.decompress(chunk, room + 1)
                room -= len(piece)
                if room < 0:
                    raise _too_large()
                out.append(piece)
                if inflater.eof:
                    chunk = inflater.unused_data
                    inflater = zlib.decompressobj(wbits=wbits)
                    begun = False
                else:
                    chunk = inflater.unconsumed_tail
    except zlib.error as error:
        raise EventRejected(code, str(error)) from None
    if begun or not out:
        raise EventRejected(code, f"the {what} stream is cut off")
    return b"".join(out)


def _unzstd(body: bytes) -> bytes:
    out: list[bytes] = []
    room = MAX_UNPACKED_BYTES
    rest = body
    try:
        while rest:
            frame = zstd.ZstdDecompressor(options=_ZSTD_WINDOW)
            data = rest
            while not frame.eof:
                piece = frame.decompress(data, room + 1)
                data = b""
                room -= len(piece)
                if room < 0:
                    raise _too_large()
                out.append(piece)
                if not piece and not frame.eof and frame.needs_input:
                    raise EventRejected("malformed_encoding", "the zstd stream is cut off")
            rest = frame.unused_data
    except zstd.ZstdError as error:
        raise EventRejected("malformed_encoding", str(error)) from None
    return b"".join(out)


def _unbrotli(body: bytes) -> bytes:
    out: list[bytes] = []
    room = MAX_UNPACKED_BYTES
    decompressor = brotli.Decompressor()
    data = body
    try:
        while True:
            piece = decompressor.process(data, output_buffer_limit=_CHUNK)
            data = b""
            room -= len(piece)
            if room < 0:
                raise _too_large()
            out.append(piece)
            if decompressor.is_finished():
                return b"".join(out)
            if not piece and decompressor.can_accept_more_data():
                raise EventRejected("malformed_encoding", "the brotli stream is cut off")
    except brotli.error as error:
        raise EventRejected("malformed_encoding", str(error)) from None


ENCODINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": _gunzip,
    "deflate": _deflate,
    "zstd": _unzstd,
    "br": _unbrotli,
}
