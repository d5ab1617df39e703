"""The command line, read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Options:
    """Port 0: any free one. `data_dir` None: ``.data`` in the app's folder. `partitions`: of local hubs, by name.
    `event_hubs_retention_mib`: the log that each partition of a local hub keeps, None for the hub's own default.

    `allowed_hosts`: names this host answers to beside loopback and its address. `management`: ``open``, ``closed``, or
    None for what host.json says.
    """

    app_dir: Path
    host: str = "127.0.0.1"
    port: int | None = None
    data_dir: Path | None = None
    event_hubs: bool = True
    event_hubs_port: int = 5672
    ready_file: Path | None = None
    skip_unsupported: bool = False
    partitions: Mapping[str, int] = field(default_factory=dict)
    event_hubs_retention_mib: float | None = None
    allowed_hosts: tuple[str, ...] = ()
    management: str | None = None
    verbose: bool = False
    json_logs: bool = False
