"""The first minute that the README promises."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from host_support import HostProcess, http, wait_for

README = Path(__file__).parents[1] / "README.md"

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(not README.exists(), reason="the README is not here")]


def test_the_app_of_the_readme_says_hello(host: Callable[..., HostProcess], tmp_path: Path) -> None:
    text = README.read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    host_json = re.search(r"echo '(.*?)' > host.json", text)
    assert code is not None
    assert host_json is not None
    app = tmp_path / "hello"
    app.mkdir()
    (app / "function_app.py").write_text(code.group(1))
    (app / "host.json").write_text(host_json.group(1))
    started = host(app).start()
    assert http("POST", f"{started.url}/api/greet/world").text == "sent\n"

    def said() -> list[Any]:
        instances = http("GET", f"{started.url}/runtime/webhooks/durabletask/instances").json()
        return [instance["output"] for instance in instances if instance["output"] is not None]

    assert wait_for(said, "the orchestration to end") == ["Hello world!"]
