"""A chain of four activities, the work both engines are given, and what entity signals cost."""

import azure.durable_functions as df
import azure.functions as func

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.activity_trigger(input_name="number")
def add_one(number: int) -> int:
    return number + 1


@app.orchestration_trigger(context_name="context")
def chain(context: df.DurableOrchestrationContext):  # type: ignore[no-untyped-def]
    number = context.get_input() or 0
    for _ in range(4):
        number = yield context.call_activity("add_one", number)
    return number


@app.orchestration_trigger(context_name="context")
def fan_out(context: df.DurableOrchestrationContext):  # type: ignore[no-untyped-def]
    results = yield context.task_all([context.call_activity("add_one", n) for n in range(context.get_input())])
    return sum(results)


@app.entity_trigger(context_name="context")
def counter(context: df.DurableEntityContext) -> None:
    total = context.get_state(lambda: 0) + context.get_input()
    context.set_state(total)
    context.set_result(total)


@app.orchestration_trigger(context_name="context")
def signal_many(context: df.DurableOrchestrationContext):  # type: ignore[no-untyped-def]
    for number in range(context.get_input()):
        context.signal_entity(df.EntityId("counter", f"by-orchestration-{number % 500}"), "add", 1)
    yield context.call_activity("add_one", 0)


@app.orchestration_trigger(context_name="context")
def send(context: df.DurableOrchestrationContext):  # type: ignore[no-untyped-def]
    sender, signals = context.get_input()
    for number in range(signals):
        context.signal_entity(df.EntityId("counter", f"{sender}-{number % 10}"), "add", 1)
    yield context.call_activity("add_one", 0)


@app.route(route="signal/{count:int}", methods=["POST"])
@app.durable_client_input(client_name="client")
async def signal_by_client(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    for number in range(int(req.route_params["count"])):
        await client.signal_entity(df.EntityId("counter", f"by-client-{number % 500}"), "add", 1)
    return func.HttpResponse(status_code=202)
