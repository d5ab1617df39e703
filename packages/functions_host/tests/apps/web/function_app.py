"""HTTP in all its forms, a timer and a warm-up: no Durable, no Event Hubs. Runs on the real host as well."""

import asyncio
import json
import logging
import threading
import time

import azure.functions as func
from azure.functions.warmup import WarmUpContext
from more_routes import blueprint

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
app.register_functions(blueprint)

timer_runs: list[dict] = []
warmed_up = threading.Event()


def as_json(value: object, status: int = 200) -> func.HttpResponse:
    return func.HttpResponse(json.dumps(value), status_code=status, mimetype="application/json")


@app.route(route="echo/{*rest}", methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def echo(req: func.HttpRequest) -> func.HttpResponse:
    return as_json(
        {
            "method": req.method,
            "url": req.url,
            "headers": dict(req.headers),
            "params": dict(req.params),
            "route": dict(req.route_params),
            "body": req.get_body().decode("latin-1"),
        }
    )


@app.route(route="form", methods=["POST"])
def form(req: func.HttpRequest) -> func.HttpResponse:
    files = {name: [file.filename, file.stream.read().decode()] for name, file in req.files.items()}
    return as_json({"form": dict(req.form), "files": files})


@app.route(route="json", methods=["POST"])
async def read_json(req: func.HttpRequest) -> func.HttpResponse:
    try:
        return as_json({"got": req.get_json()})
    except ValueError as error:
        return as_json({"error": str(error)}, 400)


@app.route(route="size", methods=["POST"])
def size(req: func.HttpRequest) -> str:
    return str(len(req.get_body()))


@app.route(route="answer/{kind}", methods=["GET"])
def answer(req: func.HttpRequest) -> func.HttpResponse:
    match req.route_params["kind"]:
        case "bytes":
            return func.HttpResponse(b"\x00\xff", mimetype="application/octet-stream")
        case "headers":
            return func.HttpResponse("x", headers={"X-One": "1", "Location": "/elsewhere"}, status_code=201)
        case "cookies":
            response = func.HttpResponse("x")
            response.headers.add("Set-Cookie", "a=1; Path=/; HttpOnly")
            response.headers.add("Set-Cookie", "b=2; Max-Age=60; Secure")
            return response
        case "empty":
            return func.HttpResponse(status_code=204)
        case "latin1":
            return func.HttpResponse("né", charset="iso-8859-1")
        case _:
            return func.HttpResponse("unknown", status_code=404)


@app.route(route="text", methods=["GET"])
def text(req: func.HttpRequest) -> str:
    return "plain"


@app.route(route="fails", methods=["GET"])
def fails(req: func.HttpRequest) -> func.HttpResponse:
    raise RuntimeError("a secret of the server")


@app.route(route="returns/{what}", methods=["GET"])
def returns(req: func.HttpRequest) -> func.HttpResponse:
    return {"nothing": None, "dict": {"a": 1}}[req.route_params["what"]]


@app.route(route="context", methods=["GET"])
async def in_context(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    logging.info("seen inside %s", context.function_name)
    return as_json(
        {
            "invocation_id": context.invocation_id,
            "function_name": context.function_name,
            "function_directory": context.function_directory,
            "trace_parent": context.trace_context.trace_parent,
            "retry_count": context.retry_context.retry_count,
            "thread_local": context.thread_local_storage.invocation_id,
        }
    )


@app.route(route="together", methods=["GET"])
def together(req: func.HttpRequest) -> func.HttpResponse:
    """Blocks its thread: two at once prove that sync functions run side by side."""
    time.sleep(0.5)
    return func.HttpResponse(threading.current_thread().name)


@app.route(route="together_async", methods=["GET"])
async def together_async(req: func.HttpRequest) -> func.HttpResponse:
    await asyncio.sleep(0.5)
    return func.HttpResponse("done")


@app.route(route="named", methods=["GET"])
@app.function_name("another_name")
def named(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("named")


@app.route(methods=["GET"])
def without_route(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("by its name")


@app.timer_trigger(arg_name="tick", schedule="*/1 * * * * *", run_on_startup=True)
def every_second(tick: func.TimerRequest) -> None:
    timer_runs.append({"past_due": tick.past_due, "at": time.time(), "schedule": tick.schedule})


@app.timer_trigger(arg_name="tick", schedule="0 0 0 1 1 *")
def once_a_year(tick: func.TimerRequest) -> None:
    timer_runs.append({"past_due": tick.past_due, "at": time.time(), "yearly": True})


@app.route(route="timer", methods=["GET"])
def timer(req: func.HttpRequest) -> func.HttpResponse:
    return as_json(timer_runs)


@app.warm_up_trigger(arg_name="warm")
def warm_up(warm: WarmUpContext) -> None:
    warmed_up.set()


@app.route(route="warm", methods=["GET"])
def warm(req: func.HttpRequest) -> func.HttpResponse:
    return as_json(warmed_up.is_set())
