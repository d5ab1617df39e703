import json

import azure.functions as func


def application(environ, start_response):
    body = environ["wsgi.input"].read().decode()
    start_response("201 Created", [("Content-Type", "application/json"), ("X-Wsgi", "yes")])
    return [json.dumps({"path": environ["PATH_INFO"], "query": environ["QUERY_STRING"], "body": body}).encode()]


app = func.WsgiFunctionApp(app=application, http_auth_level=func.AuthLevel.ANONYMOUS)
