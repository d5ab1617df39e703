"""A small PMTiles file (spec v3): a directory, metadata and a few tiles, nothing compressed."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

PNG, MVT = 2, 1
HEADER = 127


def write(
    path: Path,
    tiles: Mapping[tuple[int, int, int], bytes],
    *,
    tile_type: int = PNG,
    metadata: Mapping[str, object] | None = None,
) -> Path:
    """``tiles`` by (z, x, y)."""
    ordered = sorted((number(*place), body) for place, body in tiles.items())
    data = b"".join(body for _, body in ordered)
    directory = _directory([(name, len(body)) for name, body in ordered])
    described = json.dumps(dict(metadata or {})).encode()
    zooms = [z for z, _, _ in tiles]
    at = HEADER + len(directory)
    sections = (HEADER, len(directory), at, len(described), at + len(described), 0, at + len(described), len(data))
    header = b"PMTiles\x03" + struct.pack("<8Q", *sections) + struct.pack("<3Q", *[len(tiles)] * 3)
    # Clustered; nothing compressed, tiles neither. Then the bounds, which are the world, and where to begin.
    header += bytes((1, 1, 1, tile_type, min(zooms), max(zooms)))
    header += struct.pack("<4i", -1800000000, -850000000, 1800000000, 850000000)
    header += bytes((min(zooms),)) + struct.pack("<2i", 0, 0)
    path.write_bytes(header + directory + described + data)
    return path


def number(z: int, x: int, y: int) -> int:
    """The tile's place along the Hilbert curves of all zooms, one after the other."""
    total, side = (4**z - 1) // 3, 1 << z
    place, step = 0, side // 2
    while step > 0:
        right, down = int((x & step) > 0), int((y & step) > 0)
        place += step * step * ((3 * right) ^ down)
        if down == 0:
            if right == 1:
                x, y = side - 1 - x, side - 1 - y
            x, y = y, x
        step //= 2
    return total + place


def _directory(entries: list[tuple[int, int]]) -> bytes:
    parts = [_varint(len(entries))]
    before = 0
    for name, _ in entries:
        parts.append(_varint(name - before))
        before = name
    parts += [_varint(1) for _ in entries]  # each stands for one tile
    parts += [_varint(length) for _, length in entries]
    parts += [_varint(1 if at == 0 else 0) for at in range(len(entries))]  # 0: right behind the one before
    return b"".join(parts)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*out, value))


def picture(red: int, green: int, blue: int, side: int = 256) -> bytes:
    """A PNG of one colour."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = (b"\x00" + bytes((red, green, blue)) * side) * side
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def vector_tile(layer: str) -> bytes:
    """A Mapbox vector tile (spec 2.1) that one square in the layer fills."""

    def field(number: int, body: bytes) -> bytes:
        return _varint(number << 3 | 2) + _varint(len(body)) + body

    def whole(number: int, value: int) -> bytes:
        return _varint(number << 3) + _varint(value)

    def zigzag(value: int) -> int:
        return value * 2 if value >= 0 else -value * 2 - 1

    commands = [1 << 3 | 1, 0, 0, 3 << 3 | 2, 4096, 0, 0, 4096, -4096, 0, 1 << 3 | 7]
    literal = {0, 3, 10}  # what moves and draws; the rest are steps
    geometry = b"".join(_varint(value if at in literal else zigzag(value)) for at, value in enumerate(commands))
    feature = whole(3, 3) + field(4, geometry)
    return field(3, whole(15, 2) + field(1, layer.encode()) + field(2, feature) + whole(5, 4096))
