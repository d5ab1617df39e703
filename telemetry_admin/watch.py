"""``--watch``: a look again and again, in place on a terminal, one after another elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timezone

from rich.live import Live
from rich.text import Text

from telemetry_admin.api import Unreachable
from telemetry_admin.output import Output


def watch(out: Output, seconds: float, look: Callable[[], int]) -> int:
    """Until Ctrl-C, which is its ordinary end (0). A service that is away for a moment does not end it.

    Raises ``Refused``: what is refused once will be again.
    """
    try:
        if out.as_json:
            while True:
                try:
                    look()
                except Unreachable as error:
                    out.error(str(error))
                time.sleep(seconds)
        if not out.on_terminal:
            while True:
                out.line(_looked(out, look)[0])
                time.sleep(seconds)
        with Live(console=out.console, auto_refresh=False, vertical_overflow="ellipsis") as live:
            last = Text("")
            while True:
                text, well = _looked(out, look)
                last = Text.from_ansi(text) if well else last
                shown = last if well else Text.assemble(last, "\n", (text, "bold red"))
                live.update(Text.assemble((f"{_clock()}, every {seconds:g} s\n", "dim"), shown), refresh=True)
                time.sleep(seconds)
    except KeyboardInterrupt:
        return 0


def _looked(out: Output, look: Callable[[], int]) -> tuple[str, bool]:
    """What it prints and True, or why there is nothing and False."""
    try:
        with out.console.capture() as captured:
            look()
    except Unreachable as error:
        return f"{_clock()} {error}", False
    return captured.get().rstrip("\n"), True


def _clock() -> str:
    return datetime.now(timezone.utc).strftime("%H:%M:%SZ")
