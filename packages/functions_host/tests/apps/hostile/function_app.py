"""Functions of every kind that do what they should not: raise what is no Exception, end their process, never return."""

import asyncio
import ctypes
import logging.config
import os
import signal
import sys
import time
from pathlib import Path
from typing import List  # noqa: UP035  azure.functions does not know list[...]

import azure.durable_functions as df
import azure.functions as func

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)
NOTES = Path(os.environ["DATA_DIR"])

if os.environ.get("AT_IMPORT") == "exit":
    sys.exit(0)
if os.environ.get("AT_IMPORT") == "os_exit":
    os._exit(0)
if os.environ.get("AT_IMPORT") == "interrupt":
    raise KeyboardInterrupt
if os.environ.get("AT_IMPORT") == "hang":
    time.sleep(600)
if os.environ.get("AT_IMPORT") == "logging":
    logging.config.dictConfig({"version": 1, "disable_existing_loggers": True, "root": {"handlers": []}})
    logging.disable(logging.CRITICAL)
if os.environ.get("AT_IMPORT") == "signals":
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def note(name: str) -> None:
    with (NOTES / name).open("a") as file:
        file.write(f"{os.getpid()}\n")


def misbehave(how: str) -> str:
    """`how` may say once only: ``kill!`` kills the process the first time it is asked."""
    if how.endswith("!"):
        how = how[:-1]
        try:
            (NOTES / f"once-{how}").touch(exist_ok=False)
        except FileExistsError:
            return "done"
    match how:
        case "exit":
            sys.exit(0)
        case "interrupt":
            raise KeyboardInterrupt
        case "generator":
            raise GeneratorExit
        case "cancelled":
            raise asyncio.CancelledError
        case "stop":
            return next(number for number in ["1"] if number == "2")
        case "text":
            raise Textless
        case "os_exit":
            os._exit(7)
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "segfault":
            ctypes.string_at(0)
        case "sleep":
            time.sleep(600)
        case "spin":
            while True:
                pass
    return "done"


class Textless(BaseException):
    def __str__(self) -> str:
        raise RuntimeError("no text")


@app.route(route="sync/{how}")
def in_thread(req: func.HttpRequest) -> str:
    note("in_thread")
    return misbehave(req.route_params["how"])


@app.route(route="async/{how}")
async def on_loop(req: func.HttpRequest) -> str:
    note("on_loop")
    return misbehave(req.route_params["how"])


@app.route(route="task/{how}")
async def own_task(req: func.HttpRequest) -> str:
    """What it starts beside itself misbehaves, not the function."""

    async def later() -> None:
        misbehave(req.route_params["how"])

    task = asyncio.create_task(later())
    await asyncio.sleep(0.05)
    return str(task.done())


@app.route(route="loop/{how}")
async def loop(req: func.HttpRequest) -> str:
    getattr(asyncio.get_running_loop(), req.route_params["how"])()
    return "done"


@app.route(route="stubborn")
async def stubborn(req: func.HttpRequest) -> str:
    """Does not let itself be cancelled."""
    while True:
        try:
            await asyncio.sleep(600)
        except asyncio.CancelledError:
            continue


@app.route(route="cancelled")
async def awaits_cancelled(req: func.HttpRequest) -> str:
    task = asyncio.ensure_future(asyncio.sleep(9))
    task.cancel()
    await task
    return "never"


@app.route(route="fork")
def fork(req: func.HttpRequest) -> str:
    """Returns twice."""
    child = os.fork()
    if child == 0:
        note("forked")
    return str(child)


@app.route(route="pid")
def pid(req: func.HttpRequest) -> str:
    return str(os.getpid())


@app.route(route="slow")
async def slow(req: func.HttpRequest) -> str:
    note("slow")
    await asyncio.sleep(float(req.params.get("seconds", 1)))
    return "slow but well"


@app.route(route="starts")
@app.durable_client_input(client_name="client")
async def starts_late(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> str:
    note("late")
    await asyncio.sleep(1)
    return await client.start_new("calls", "late", "well")


@app.route(route="log")
def log(req: func.HttpRequest) -> str:
    logging.info("with fields", extra={"function": "f", "invocation_id": None})
    logging.info("with a number", extra={"function": 5})
    logging.info("%d arguments", "wrong")
    return "logged"


@app.timer_trigger(arg_name="tick", schedule="*/1 * * * * *")
def ticks(tick: func.TimerRequest) -> None:
    note("ticks")
    how = NOTES / "timer"
    if how.exists():
        misbehave(how.read_text())


@app.event_hub_message_trigger(arg_name="events", event_hub_name="main", connection="C", cardinality="many")
def on_events(events: List[func.EventHubEvent]) -> None:  # noqa: UP006
    for event in events:
        text = event.get_body().decode()
        note(f"event-{text}")
        misbehave(text)


@app.activity_trigger(input_name="how")
def act(how: str) -> str:
    note(f"act-{how}")
    return misbehave(how)


@app.orchestration_trigger(context_name="context")
def calls(context: df.DurableOrchestrationContext):
    return (yield context.call_activity("act", context.get_input()))


@app.orchestration_trigger(context_name="context")
def steps(context: df.DurableOrchestrationContext):
    yield context.call_activity("act", "well")
    note(f"step-{context.get_input()}")
    misbehave(context.get_input())
    return (yield context.call_activity("act", "well"))


@app.entity_trigger(context_name="context")
def counter(context: df.DurableEntityContext) -> None:
    if context.operation_name != "add":
        note(f"entity-{context.operation_name}")
        misbehave(context.operation_name)
    context.set_state(context.get_state(lambda: 0) + 1)


@app.orchestration_trigger(context_name="context")
def asks(context: df.DurableOrchestrationContext):
    entity = df.EntityId("counter", "asked")
    yield context.call_entity(entity, context.get_input())
    return "answered"
