"""The domain does no I/O and knows no Azure: what it imports is all that it can do."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import telemetry

ROOM = Path(telemetry.__file__).parent
ALLOWED = {
    "__future__",
    "backports",
    "base64",
    "binascii",
    "brotli",
    "collections",
    "copy",
    "csv",
    "dataclasses",
    "datetime",
    "decimal",
    "functools",
    "hashlib",
    "io",
    "itertools",
    "json",
    "math",
    "operator",
    "orjson",
    "pyproj",
    "re",
    "shapely",
    "struct",
    "sys",
    "telemetry",
    "typing",
    "xml",
    "zlib",
}


def test_only_pure_modules_are_imported() -> None:
    imported = set()
    for path in ROOM.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path.name}: relative import"
                imported.add((node.module or "").partition(".")[0])
    assert imported
    assert imported <= ALLOWED


def test_no_file_is_opened_and_nothing_is_printed() -> None:
    forbidden = {"open", "print", "input", "exec", "eval", "__import__"}
    for path in ROOM.rglob("*.py"):
        calls = {
            node.func.id
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert not calls & forbidden, path.name


def test_loading_all_of_it_loads_no_azure() -> None:
    modules = ", ".join(f"telemetry.{path.stem}" for path in ROOM.glob("*.py") if path.stem != "__init__")
    script = f"import sys, {modules}\nprint([name for name in sys.modules if name.partition('.')[0] == 'azure'])"
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOM.parent, capture_output=True, text=True, check=True, timeout=60
    )
    assert result.stdout.strip() == "[]"
