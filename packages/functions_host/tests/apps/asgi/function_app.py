"""A hand-written ASGI app with a lifespan, so that no web framework is needed to test it."""

import json

import azure.functions as func

state = {"started": False}


async def application(scope, receive, send) -> None:
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            state["started"] = message["type"] == "lifespan.startup"
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                print("lifespan ended", flush=True)
                return
    body = (await receive())["body"]
    answer = {
        "path": scope["path"],
        "query": scope["query_string"].decode(),
        "method": scope["method"],
        "body": body.decode(),
        "started": state["started"],
        "function": scope["azure_functions.function_name"],
    }
    headers = [(b"content-type", b"application/json"), (b"x-asgi", b"yes")]
    await send({"type": "http.response.start", "status": 202, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(answer).encode()})


app = func.AsgiFunctionApp(app=application, http_auth_level=func.AuthLevel.ANONYMOUS)
