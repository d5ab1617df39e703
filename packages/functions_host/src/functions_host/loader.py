"""Loads an app as the Python worker does: its folder becomes the working directory and the head of sys.path."""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from pathlib import Path
from typing import Any

from functions_host.errors import StartError


def load_app(app_dir: Path) -> tuple[Any, list[Any]]:
    """Import function_app.py of `app_dir` and index it; returns the FunctionApp and its Function objects.

    PYTHON_SCRIPT_FILE_NAME names another file, as for the worker. Raises StartError with the app's own traceback
    when the import fails, and for an app of the v1 model (function.json folders).
    """
    script = os.environ.get("PYTHON_SCRIPT_FILE_NAME") or "function_app.py"
    if not (app_dir / script).is_file():
        if any(app_dir.glob("*/function.json")):
            raise StartError(f"{app_dir} is an app of the v1 model (function.json); only the v2 model is supported")
        raise StartError(f"{app_dir / script} is missing: --app must name the folder of a Functions app (v2 model)")
    os.chdir(app_dir)
    for known in (str(app_dir), ""):
        while known in sys.path:
            sys.path.remove(known)
    sys.path.insert(0, str(app_dir))
    packages = app_dir / ".python_packages" / "lib" / "site-packages"
    if packages.is_dir():
        sys.path.insert(1, str(packages))
    importlib.invalidate_caches()
    name = Path(script).stem
    try:
        module = importlib.import_module(name)
    except BaseException as error:
        # sys.exit() in an app is its error too: a host that ended quietly with it would look well.
        raise StartError(f"{script} could not be imported\n{_app_traceback(error)}") from error
    return _index(module, script)


def _index(module: Any, script: str) -> tuple[Any, list[Any]]:
    from azure.functions import FunctionRegister

    apps = [value for value in vars(module).values() if isinstance(value, FunctionRegister)]
    if not apps:
        raise StartError(f"no top level FunctionApp instance was found in {script}")
    if len(apps) > 1:
        raise StartError(f"{script} defines more than one top level FunctionApp; the worker accepts exactly one")
    try:
        return apps[0], list(apps[0].get_functions())
    except BaseException as error:
        raise StartError(f"{script} could not be indexed: {error}") from error


def _app_traceback(error: BaseException) -> str:
    """The traceback from the app's first line on: importlib's own frames help nobody."""
    summary = traceback.TracebackException.from_exception(error)
    frames = [frame for frame in summary.stack if "importlib" not in frame.filename and frame.filename != __file__]
    summary.stack = traceback.StackSummary.from_list(frames)
    return "".join(summary.format()).rstrip()
