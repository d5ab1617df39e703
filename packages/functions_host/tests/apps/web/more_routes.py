"""Route templates, each answering with its own name, so that tests see which one was chosen."""

import json

import azure.functions as func

blueprint = func.Blueprint()


def chosen(name: str, req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(json.dumps([name, dict(req.route_params)]), mimetype="application/json")


@blueprint.route(route="items/{id:int}", methods=["GET"])
def item_by_number(req: func.HttpRequest) -> func.HttpResponse:
    return chosen("number", req)


@blueprint.route(route="items/{id:guid}", methods=["GET"])
def item_by_guid(req: func.HttpRequest) -> func.HttpResponse:
    return chosen("guid", req)


@blueprint.route(route="items/latest", methods=["GET"])
def item_latest(req: func.HttpRequest) -> func.HttpResponse:
    return chosen("latest", req)


@blueprint.route(route="items/{category:alpha}/{id:int?}", methods=["GET"])
def items_of_category(req: func.HttpRequest) -> func.HttpResponse:
    return chosen("category", req)


@blueprint.route(route="shared", methods=["GET"])
def shared_get(req: func.HttpRequest) -> func.HttpResponse:
    return chosen("get", req)


@blueprint.route(route="shared", methods=["POST"])
def shared_post(req: func.HttpRequest) -> func.HttpResponse:
    return chosen("post", req)


@blueprint.route(route="file/{name}.{ext}", methods=["GET"])
def file_name(req: func.HttpRequest) -> func.HttpResponse:
    return chosen("file", req)
