"""What ``make durable-2x`` installs; runs everywhere."""

from __future__ import annotations

from tools.durable_2x import ROOT, name_of, requirements


def test_the_app_is_installed_as_deployed_but_for_the_preview() -> None:
    wanted = [name_of(line) for line in requirements()]
    assert len(wanted) == len(set(wanted))
    deployed = {name_of(line) for line in (ROOT / "requirements.txt").read_text().splitlines()} - {""}
    assert deployed < set(wanted)
    assert "azure-functions-durable==2.0.0rc3" in requirements()
    assert all("==" in line for line in requirements())
