"""What this host does not support: it must be named at start."""

import azure.functions as func

app = func.FunctionApp()


@app.queue_trigger(arg_name="message", queue_name="orders", connection="Storage")
def on_order(message: func.QueueMessage) -> None: ...


@app.route(route="x")
@app.blob_input(arg_name="blob", path="a/b", connection="Storage")
def reads_blob(req: func.HttpRequest, blob: str) -> func.HttpResponse: ...


@app.route(route="y")
@app.generic_output_binding(arg_name="out", type="sendGrid")
def sends_mail(req: func.HttpRequest, out: func.Out[str]) -> func.HttpResponse: ...


@app.generic_trigger(arg_name="thing", type="rabbitMQTrigger")
def on_rabbit(thing: str) -> None: ...
