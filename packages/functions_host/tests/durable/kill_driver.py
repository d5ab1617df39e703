"""Kills an engine after each commit in turn, or around each transaction; prints a JSON line a life: what was reached.

Each life is a forked child that ends itself with SIGKILL, so nothing of it but the file remains; the next life goes on
from the file. The client behaves as clients must: it repeats a request until it was answered, and never after.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
import tempfile
import warnings
from pathlib import Path

from functions_host.durable import DurableOptions

from . import journey_app
from .durable_support import Host
from .final_state import final_state


def main(moment: str) -> None:
    """`moment`: ``commit`` (after each) or ``transaction`` (before each begin and before each commit)."""
    nth = 1
    while True:
        with tempfile.TemporaryDirectory() as folder:
            data = Path(folder)
            killed = live(data, moment, nth)
            if killed and live(data, moment, None):
                raise SystemExit("the second life was killed too")
            state = json.loads((data / "state.json").read_text())
            print(json.dumps({"nth": nth, "killed": killed, **state}), flush=True)
            if not killed:
                return
            nth += 1


def live(data: Path, moment: str, nth: int | None) -> bool:
    """One life; whether it was killed."""
    child = os.fork()
    if child == 0:
        try:
            asyncio.run(run(data, moment, nth))
            os._exit(0)
        except BaseException as error:
            print(json.dumps({"failed": repr(error)}), flush=True)
            os._exit(1)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return True
    if status:
        raise SystemExit(f"a life ended with {status}")
    return False


async def run(data: Path, moment: str, nth: int | None) -> None:
    executions: list[str] = []
    host = Host(journey_app.build(executions), data, DurableOptions())
    left = nth

    def count(what: str = "commit") -> None:
        nonlocal left
        if left is not None and what in ("begin", "commit"):
            left -= 1
            if left == 0:
                note(data, executions)
                os.kill(os.getpid(), signal.SIGKILL)

    if moment == "commit":
        host.engine.store.after_commit = count
    else:
        host.engine.store.before_write = count
    await host.start()
    if not (data / "started").exists():
        answer = await host.call("POST", "orchestrators/journey/j")
        # 409: the life before stored the start and was killed before it could answer.
        assert answer.status in (202, 409), answer.text
        (data / "started").touch()
    if not (data / "raised").exists() and not raised(host):
        answer = await host.call("POST", "instances/j/raiseEvent/go", "now")
        assert answer.status == 202, answer.text
    (data / "raised").touch()
    await host.end_of("j")
    await host.quiet()
    note(data, executions)
    state = await final_state(host)
    ran = (data / "executions").read_text().split(";")
    (data / "state.json").write_text(json.dumps({"state": state, "executions": sorted({one for one in ran if one})}))
    await host.stop()


def raised(host: Host) -> bool:
    waiting = host.engine.store.read("SELECT count(*) FROM inbox WHERE kind='event' AND payload LIKE '%\"go\"%'")
    taken = host.engine.store.read('SELECT count(*) FROM history WHERE events LIKE \'%"EventType":15,"Name":"go"%\'')
    return bool(waiting[0][0] or taken[0][0])


def note(data: Path, executions: list[str]) -> None:
    with (data / "executions").open("a") as file:
        file.write(";".join(["", *executions]))


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    main(sys.argv[1])
