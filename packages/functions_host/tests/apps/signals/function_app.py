"""Functions that take their time: for stopping, and for functionTimeout (1 s in host.json)."""

import asyncio
import os
import time
from pathlib import Path

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route(route="slow", methods=["GET"])
async def slow(req: func.HttpRequest) -> func.HttpResponse:
    Path(os.environ["DATA_DIR"], "started").touch()
    await asyncio.sleep(float(req.params["seconds"]))
    return func.HttpResponse("finished")


@app.route(route="slow_sync", methods=["GET"])
def slow_sync(req: func.HttpRequest) -> func.HttpResponse:
    time.sleep(float(req.params["seconds"]))
    return func.HttpResponse("finished")


@app.route(route="quick", methods=["GET"])
def quick(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(os.getcwd())
