"""Runs tests/durable_2x where Durable 2.x is: ``python -m tools.durable_2x [pytest's arguments]``.

It needs Python 3.13 or later and an environment of its own (.venv-durable-2x/, made on the first run and again when a
requirement changes): everything the app deploys, with 2.x in place of 1.x.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
VENV = ROOT / ".venv-durable-2x"
TESTS = ROOT / "tests" / "durable_2x"
TEST_TOOLS = ("pytest", "pytest-asyncio", "pytest-timeout")


def name_of(line: str) -> str:
    """``azure-eventhub==5.15.1`` → ``azure-eventhub``; nothing for a comment or an option."""
    match = re.match(r"[\w-]+", line)
    return match.group().lower() if match and not line.startswith("-") else ""


def requirements() -> list[str]:
    """The app's, with the preview's in place of those of the same name, and what runs the tests."""
    preview = [line for line in (TESTS / "requirements.txt").read_text().splitlines() if name_of(line)]
    replaced = {name_of(line) for line in preview}
    app = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if name_of(line)]
    tools = [line for line in (ROOT / "requirements-dev.txt").read_text().splitlines() if name_of(line) in TEST_TOOLS]
    return [*preview, *(line for line in app if name_of(line) not in replaced), *tools]


def find_python() -> str:
    """A Python that 2.x installs on: ``PYTHON_2X``, this one, or the newest ``python3.x`` of the search path."""
    named = os.environ.get("PYTHON_2X")
    if named:
        return named
    if sys.version_info >= (3, 13):
        return sys.executable
    pyenv = sorted(Path.home().glob(".pyenv/versions/3.1[345].*/bin/python"))
    for candidate in ("python3.14", "python3.13", *map(str, pyenv)):
        found = shutil.which(candidate)
        if found and subprocess.run([found, "-c", ""], check=False, capture_output=True).returncode == 0:
            return found
    raise SystemExit("Durable 2.x wants Python 3.13 or later: none found; name one in PYTHON_2X")


def install() -> Path:
    """The environment's Python; installs only what has changed since the last time."""
    python = VENV / ("Scripts" if os.name == "nt" else "bin") / "python"
    wanted = "\n".join(requirements()) + "\n"
    stamp = VENV / "installed.txt"
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"Installing Durable 2.x into {VENV.name} (the first time takes a minute) ...", flush=True)
        if not python.exists():
            subprocess.run([find_python(), "-m", "venv", str(VENV)], check=True)
        listed = VENV / "requirements.txt"
        listed.write_text(wanted)
        pip = [str(python), "-m", "pip", "--disable-pip-version-check", "-q", "install", "-r", str(listed)]
        subprocess.run(pip, check=True)
        stamp.write_text(wanted)
    return python


def main(arguments: list[str]) -> int:
    python = install()
    pytest = [str(python), "-m", "pytest", str(TESTS), "-W", "ignore::DeprecationWarning", *arguments]
    return subprocess.run(pytest, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
