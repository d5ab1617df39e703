"""The app whose instances stand in ``stores/version1.db``, as the engine of version 1 left them when it was killed.

To make the file anew: run this module with the source of that engine first on the path and the file's name as its
argument. It kills itself with work of every kind under way.
"""

# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

import asyncio
import datetime
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

import azure.durable_functions as df

Steps = Generator[Any, Any, Any]


def build(gate: asyncio.Event | None = None, broken: bool = False) -> df.DFApp:
    """`gate` holds the activity ``slow``; `broken` makes ``fragile`` fail."""
    app = df.DFApp()

    @app.activity_trigger(input_name="x")
    async def slow(x: int) -> int:
        if gate is not None and x > 1:
            await gate.wait()
        return x * 2

    @app.activity_trigger(input_name="x")
    def fragile(x: Any) -> Any:
        if broken:
            raise ValueError("not this time")
        return x

    @app.orchestration_trigger(context_name="context")
    def fan(context: df.DurableOrchestrationContext) -> Steps:
        return (yield context.task_all([context.call_activity("slow", n) for n in range(4)]))

    @app.orchestration_trigger(context_name="context")
    def sleeps(context: df.DurableOrchestrationContext) -> Steps:
        yield context.create_timer(context.current_utc_datetime + datetime.timedelta(days=5))
        return "awake"

    @app.orchestration_trigger(context_name="context")
    def waits(context: df.DurableOrchestrationContext) -> Steps:
        context.set_custom_status({"waits": "é"})
        first = yield context.call_activity("slow", 1)
        second = yield context.wait_for_external_event("go")
        total = yield context.call_entity(df.EntityId("total", "k"), "add", 5)
        return [first, second, total]

    @app.orchestration_trigger(context_name="context")
    def parent(context: df.DurableOrchestrationContext) -> Steps:
        return (yield context.call_sub_orchestrator("waits", None, "kid"))

    @app.orchestration_trigger(context_name="context")
    def fails(context: df.DurableOrchestrationContext) -> Steps:
        return (yield context.call_activity("fragile", context.get_input()))

    @app.entity_trigger(context_name="context")
    def total(context: df.DurableEntityContext) -> None:
        state = context.get_state(lambda: 0) + (context.get_input() or 0)
        context.set_state(state)
        context.set_result(state)

    return app


async def make(folder: Path) -> None:
    from functions_host.durable import DurableEngine, DurableOptions, ManagementRequest

    from packages.functions_host.tests.durable.durable_support import AppRunner

    engine = DurableEngine(folder, DurableOptions(), AppRunner(build(asyncio.Event(), broken=True)))
    await engine.start()

    async def post(path: str, body: bytes = b"") -> None:
        headers = {"content-type": "application/json"}
        answer = await engine.handle_management(ManagementRequest("POST", path, (), headers, body))
        assert answer.status == 202, answer.body

    await post("entities/total/k", b'"10"')
    for name, instance_id in (("fan", "f"), ("sleeps", "s"), ("waits", "w"), ("waits", "held"), ("parent", "p")):
        await post(f"orchestrators/{name}/{instance_id}")
    await post("orchestrators/fails/x", b'"\\"again\\""')
    await post("orchestrators/waits/done")
    await asyncio.sleep(1)
    await post("instances/held/suspend")
    await post("instances/done/raiseEvent/go", b"1")
    await asyncio.sleep(1)
    # From here on nothing is taken up: what arrives stays in the inbox.
    engine._scheduler._stopped = True
    await post("entities/total/k", b'"7"')
    await post("instances/w/raiseEvent/go", b'"now"')
    await post("orchestrators/fan/pending")
    await asyncio.sleep(0.1)
    engine.store._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def main() -> None:
    target = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        child = os.fork()
        if child == 0:
            asyncio.run(_make_and_die(Path(folder)))
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), status
        shutil.copyfile(Path(folder) / "durable.db", target)


async def _make_and_die(folder: Path) -> None:
    await make(folder)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
