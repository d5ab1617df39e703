"""Orchestrations made at random, interrupted at random: the SDK's walk and the engine's must never part."""

# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

import asyncio
import datetime
import random
from collections.abc import Callable, Generator
from typing import Any

import azure.durable_functions as df
import pytest

HostMaker = Callable[..., Any]
Spec = dict[str, Any]


def build(attempts: dict[str, int]) -> df.DFApp:
    app = df.DFApp()

    @app.activity_trigger(input_name="spec")
    async def work(spec: Spec) -> Any:
        await asyncio.sleep(spec["seconds"])
        attempts[spec["id"]] = attempts.get(spec["id"], 0) + 1
        if attempts[spec["id"]] <= spec["failures"]:
            raise ValueError(f"attempt {attempts[spec['id']]}")
        return spec["id"]

    @app.entity_trigger(context_name="context")
    def total(context: df.DurableEntityContext) -> None:
        state = context.get_state(lambda: 0)
        if context.operation_name == "add":
            state += context.get_input()
            context.set_state(state)
        context.set_result(state)

    @app.orchestration_trigger(context_name="context")
    def program(context: df.DurableOrchestrationContext) -> Generator[Any, Any, Any]:
        spec = context.get_input()
        done = []
        for step in spec["steps"]:
            if step["kind"] == "signal":
                context.signal_entity(df.EntityId("total", step["key"]), "add", 1)
                continue
            try:
                result = yield start(context, step)
            except Exception as error:
                result = str(error)[:40]
            done.append(result if isinstance(result, (int, str, list, type(None))) else "a task")
            context.set_custom_status(len(done))
        if spec["generations"]:
            context.continue_as_new({**spec, "generations": spec["generations"] - 1})
            return None
        return len(done)

    def start(context: df.DurableOrchestrationContext, step: Spec) -> Any:
        kind = step["kind"]
        if kind == "work":
            return context.call_activity("work", step)
        if kind == "retry":
            return context.call_activity_with_retry("work", df.RetryOptions(5, 3), step)
        if kind == "timer":
            return context.create_timer(context.current_utc_datetime + datetime.timedelta(seconds=step["seconds"]))
        if kind == "child":
            return context.call_sub_orchestrator("program", step["spec"])
        if kind == "call":
            return context.call_entity(df.EntityId("total", step["key"]), "add", 1)
        children = [start(context, child) for child in step["children"]]
        return context.task_all(children) if kind == "all" else context.task_any(children)

    return app


class Maker:
    """Random programs; every one of them comes to an end."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.number = 0

    def program(self, depth: int = 0) -> Spec:
        steps = [self.step(depth, top=True) for _ in range(self.random.randint(1, 4))]
        generations = self.random.choice((0, 0, 1)) if depth == 0 else 0
        return {"steps": steps, "generations": generations}

    def step(self, depth: int, top: bool) -> Spec:
        kinds = ["work", "work", "retry", "timer", "call"]
        if top:
            kinds += ["fail", "signal"]
        if depth < 2:
            kinds += ["all", "any", "child"]
        kind = self.random.choice(kinds)
        self.number += 1
        step: Spec = {"kind": kind, "id": f"s{self.number}", "seconds": self.random.choice((0, 0, 0.002, 0.01))}
        step["failures"] = {"fail": 99, "retry": self.random.randint(0, 2)}.get(kind, 0)
        if kind == "fail":
            step["kind"] = self.random.choice(("work", "retry"))
        elif kind in ("signal", "call"):
            step["key"] = self.random.choice("ab")
        elif kind == "child":
            step["spec"] = self.program(depth + 1)
        elif kind in ("all", "any"):
            step["children"] = [self.step(depth + 1, top=False) for _ in range(self.random.randint(1, 3))]
        return step


@pytest.mark.parametrize("seed", range(12))
async def test_random_programs_come_to_their_end(host: HostMaker, seed: int, caplog: pytest.LogCaptureFixture) -> None:
    maker = Maker(seed)
    programs = [maker.program() for _ in range(8)]
    attempts: dict[str, int] = {}
    one = await host(build(attempts), accelerate=True)
    for number, program in enumerate(programs):
        await one.start_new("program", f"p{number}", program)
    for _ in range(3):
        await asyncio.sleep(maker.random.uniform(0.0, 0.03))
        await one.stop(grace=0.0)
        one = await host(build(attempts), accelerate=True)
    for number, program in enumerate(programs):
        status = await one.end_of(f"p{number}")
        wanted = len([step for step in program["steps"] if step["kind"] != "signal"])
        assert (status["runtimeStatus"], status["output"]) == ("Completed", wanted), f"p{number}"
    await one.until(lambda: not one.engine.health()["orchestrations"])
    await one.quiet()
    assert one.engine.store.read("SELECT count(*) FROM inbox") == [(0,)]
    assert one.engine.orchestrations.live.under_way() == {}
    assert "Non-Deterministic" not in caplog.text
    assert "broke off" not in caplog.text
