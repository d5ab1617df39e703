"""Client functions: they start, signal and read; everything else goes through the management API."""

import json

import azure.durable_functions as df
import azure.functions as func

starters = df.Blueprint()


@starters.route(route="start/{orchestration}/{id?}", methods=["POST"])
@starters.durable_client_input(client_name="client")
async def start(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    given = req.get_json() if req.get_body() else None
    instance_id = await client.start_new(
        req.route_params["orchestration"],
        instance_id=req.route_params.get("id"),
        client_input=given,
        version=req.params.get("version"),
    )
    return client.create_check_status_response(req, instance_id)


@starters.route(route="wait/{orchestration}", methods=["POST"])
@starters.durable_client_input(client_name="client")
async def wait(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    instance_id = await client.start_new(req.route_params["orchestration"], client_input=req.get_json())
    return await client.wait_for_completion_or_create_check_status_response(
        req, instance_id, timeout_in_milliseconds=int(req.params["timeout"]), retry_interval_in_milliseconds=200
    )


@starters.route(route="counter/{key}", methods=["GET"])
@starters.durable_client_input(client_name="client")
async def read_counter(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    state = await client.read_entity_state(df.EntityId("counter", req.route_params["key"]))
    answer = {"exists": state.entity_exists, "state": state.entity_state}
    return func.HttpResponse(json.dumps(answer), mimetype="application/json")


@starters.route(route="counter/{key}/{operation}", methods=["POST"])
@starters.durable_client_input(client_name="client")
async def signal_counter(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    entity = df.EntityId("counter", req.route_params["key"])
    given = req.get_json() if req.get_body() else None
    await client.signal_entity(entity, req.route_params["operation"], given)
    return func.HttpResponse(status_code=202)


@starters.route(route="status/{id}", methods=["GET"])
@starters.durable_client_input(client_name="client")
async def status(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    found = await client.get_status(req.route_params["id"])
    answer = {
        "name": found.name,
        "status": found.runtime_status.value if found.runtime_status else None,
        "output": found.output,
        "custom": found.custom_status,
    }
    return func.HttpResponse(json.dumps(answer), mimetype="application/json")
