"""The deployment's smoke test against the local host: the same steps, and what it says where there is no sign-in."""

from __future__ import annotations

import pytest

from tools import smoke
from tools.local_host import LocalHost

pytestmark = pytest.mark.e2e


def test_the_local_host_passes(host: LocalHost, capsys: pytest.CaptureFixture[str]) -> None:
    assert smoke.main([host.url, "--seconds", "60"]) == 0
    assert "message: sent and readable" in capsys.readouterr().out
