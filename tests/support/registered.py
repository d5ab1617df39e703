"""The functions that the app registers. The SDK indexes an app once a process: asked again, it finds names twice."""

from __future__ import annotations

import functools
from typing import Any

import function_app


@functools.cache
def functions() -> dict[str, Any]:
    """Function name -> function, with ``get_trigger()``, ``get_bindings()`` and ``get_user_function()``."""
    return {function.get_function_name(): function for function in function_app.app.get_functions()}
