"""What the host says when it is up: the functions and where to reach them, as `func start` prints them."""

from __future__ import annotations

from collections.abc import Callable

from functions_host.functions import FunctionInfo
from functions_host.http.server import METHODS


def describe(functions: list[FunctionInfo], url_of: Callable[[FunctionInfo], str | None], base_url: str) -> str:
    """The list of functions: HTTP ones with methods and URL, the others with their trigger."""
    lines = ["", "Functions:", ""]
    for function in sorted(functions, key=lambda known: (known.kind != "httpTrigger", known.name.lower())):
        url = url_of(function)
        if url is not None:
            methods = ",".join(function.trigger.get("methods") or METHODS)
            lines.append(f"        {function.name}: [{methods}] {base_url}{url}")
        else:
            lines.append(f"        {function.name}: {function.kind}")
        lines.append("")
    return "\n".join(lines)
