"""HTTP in all its forms, a timer, a warm-up: no Durable, no Event Hubs."""

import logging
import os
import time

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
runs: dict[str, int] = {}


@app.route(route="hello/{name:alpha}", methods=["GET"])
def hello(req: func.HttpRequest) -> func.HttpResponse:
    logging.info("greeting %s", req.route_params["name"])
    return func.HttpResponse(f"Hello, {req.route_params['name']}")
