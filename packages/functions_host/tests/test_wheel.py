"""The package as somebody else gets it: a wheel, an environment without this checkout, an app of their own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

import pytest
from host_support import APPS, HostProcess, http

pytestmark = pytest.mark.e2e
PACKAGES = Path(__file__).parents[2]


def build_wheels(folder: Path) -> list[Path]:
    """Built from copies, so that no build folder is left in the checkout; with the setuptools at hand, offline."""
    sources = [folder / package for package in ("event_hubs_emulator", "functions_host")]
    for source in sources:
        ignored = shutil.ignore_patterns("tests", "*.egg-info", "__pycache__", ".*", "build")
        shutil.copytree(PACKAGES / source.name, source, ignore=ignored)
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--quiet"]
    subprocess.run([*command, "--wheel-dir", str(folder), *map(str, sources)], check=True, capture_output=True)
    return [next(folder.glob(f"{source.name}-*.whl")) for source in sources]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a fresh environment with both wheels; third-party packages are this environment's."""
    pytest.importorskip("setuptools", minversion="70.1", reason="bdist_wheel came with setuptools 70.1")
    folder = tmp_path_factory.mktemp("wheels")
    wheels = build_wheels(folder)
    environment = folder / "env"
    venv.create(environment, with_pip=False)
    site = next((environment / "lib").glob("python*/site-packages"))
    install = [sys.executable, "-m", "pip", "install", "--no-deps", "--quiet", "--no-compile", "--target", str(site)]
    subprocess.run([*install, *map(str, wheels)], check=True, capture_output=True)
    here = [path for path in sys.path if path.endswith("site-packages")]
    # A .pth file would bring in this environment's editable installs too: a path entry in it does not.
    (site / "third_party.pth").write_text("\n".join(here) + "\n")
    return environment / "bin" / "python"


def test_the_wheel_runs_an_app_elsewhere(python: Path, host: Callable[..., HostProcess]) -> None:
    where = "import functions_host, event_hubs_emulator; print(functions_host.__file__, event_hubs_emulator.__file__)"
    found = subprocess.run([python, "-c", where], capture_output=True, text=True, check=True, cwd=APPS).stdout
    assert found.count(str(python.parents[1])) == 2
    started = host("patterns")
    started.interpreter = str(python)
    started.start()
    answer = http("POST", f"{started.url}/api/wait/chaining?timeout=20000", json_body="wheel")
    assert answer.json()[2] == "Hello wheel!"
    assert started.stop(signal.SIGTERM) == 0


def test_the_command_is_installed_as_a_script_too(python: Path) -> None:
    site = next((python.parents[1] / "lib").glob("python*/site-packages"))
    script = site / "bin" / "functions-host"
    shown = subprocess.run(
        [python, script, "--version"], capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": ""}
    )
    assert shown.stdout.startswith("functions_host ")
