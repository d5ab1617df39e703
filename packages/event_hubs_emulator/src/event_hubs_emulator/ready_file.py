"""The file that says to another process that the emulator listens, and where."""

from __future__ import annotations

import json
import os
from pathlib import Path


def write_ready_file(path: Path, host: str, port: int, connection_string: str) -> None:
    """Write `{"pid", "url", "eventHubConnection"}`, whole or not at all."""
    content = {"pid": os.getpid(), "url": f"amqp://{host}:{port}", "eventHubConnection": connection_string}
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    temporary.write_text(json.dumps(content), encoding="utf-8")
    os.replace(temporary, path)
