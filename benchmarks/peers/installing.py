"""The peers in an environment of their own, ``.peers/``: made once, made anew when what is asked for has changed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
FOLDER = ROOT / ".peers"
PYTHON = FOLDER / "venv" / "bin" / "python"
_WORDS = 300


class NotInstalled(Exception):
    """Why a peer cannot be measured here, in words."""


def install_python() -> Path:
    """An interpreter that has the peers' packages. Raises ``NotInstalled``."""
    wanted = HERE / "requirements.txt"
    if _is_new(wanted, FOLDER / "venv"):
        shutil.rmtree(FOLDER / "venv", ignore_errors=True)
        _run("the peers' packages", sys.executable, "-m", "venv", str(FOLDER / "venv"))
        _run("the peers' packages", str(PYTHON), "-m", "pip", "install", "-q", "-r", str(wanted))
        _done(wanted, FOLDER / "venv")
    return PYTHON


def install_restate() -> Path:
    """Restate's server. Raises ``NotInstalled``."""
    server = FOLDER / "npm"
    wanted = HERE / "package-lock.json"
    if _is_new(wanted, server):
        from web.build import NodeMissing, find_node, path_of

        shutil.rmtree(server, ignore_errors=True)
        server.mkdir(parents=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, server)
        try:
            node, npm = find_node()
        except NodeMissing as error:
            raise NotInstalled(f"Restate's server comes from npm: {error}") from error
        # Its postinstall script reports the installation to somebody.
        command = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        _run("Restate's server", *command, cwd=server, environment=path_of(node))
        _done(wanted, server)
    found = list(server.glob("node_modules/@restatedev/restate-server-*/bin/restate-server"))
    if not found:
        raise NotInstalled("npm has no build of Restate's server for this machine")
    return found[0]


def _is_new(wanted: Path, folder: Path) -> bool:
    kept = folder / f".installed-{wanted.name}"
    return not kept.is_file() or kept.read_bytes() != wanted.read_bytes()


def _done(wanted: Path, folder: Path) -> None:
    shutil.copy(wanted, folder / f".installed-{wanted.name}")


def _run(what: str, *command: str, cwd: Path | None = None, environment: dict[str, str] | None = None) -> None:
    print(f"   installing {what} ...", flush=True)
    FOLDER.mkdir(exist_ok=True)
    try:
        done = subprocess.run(
            command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=900, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotInstalled(f"{what} could not be installed: {error}") from error
    if done.returncode:
        raise NotInstalled(f"{what} could not be installed: {(done.stderr or done.stdout).strip()[-_WORDS:]}")
