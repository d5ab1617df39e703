"""Small files that survive kill -9: written beside, synced, then renamed over the old one."""

from __future__ import annotations

import os
from pathlib import Path


def write_atomically(path: Path, text: str, *, sync: bool = True) -> None:
    """Replace `path` by `text`. A reader sees the old content or the new one, never a part."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with open(beside, "w", encoding="utf-8") as file:
        file.write(text)
        if sync:
            file.flush()
            os.fsync(file.fileno())
    os.replace(beside, path)


def safe_name(text: str) -> str:
    """A file name for any text: one-to-one, so that two names never share a file."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_") else f"%{c.encode().hex()}" for c in text)
