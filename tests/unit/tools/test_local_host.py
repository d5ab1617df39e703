"""The host that tests and tools start: one that never becomes ready is not left running."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tools.local_host import LocalHost


def test_a_host_that_is_not_ready_in_time_is_ended(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "host.json").write_text('{"version": "2.0"}')
    (tmp_path / "app" / "function_app.py").write_text("import time\ntime.sleep(600)\n")
    host = LocalHost(tmp_path / "data", app=tmp_path / "app")
    with pytest.raises(TimeoutError):
        host.start(seconds=1.0)
    process = host.process
    assert process is not None
    assert process.returncode is not None
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)
