"""A stand-in for the Durable extension's HTTP API: shapes, tokens and header names are those recorded at the real
one. It keeps entities in the order of their keys and pages through them by key."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

TOKEN_HEADER = "x-ms-continuation-token"


@dataclass
class Extension:
    """``entities``: key -> (state, last operation time). ``instances``: id -> what ``GET instances`` says of it, with
    ``historyEvents``. ``down`` makes every answer a 500. ``host_errors`` is what the host says of its parts,
    ``host_status`` another answer in its place."""

    entities: dict[str, tuple[Any, str]] = field(default_factory=dict)
    started: dict[str, Any] = field(default_factory=dict)
    statuses: dict[str, str] = field(default_factory=dict)
    instances: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    down: bool = False
    url: str = ""
    host_errors: list[str] = field(default_factory=list)
    host_status: tuple[int, Any] | None = None

    def keep(self, state: Mapping[str, Any], operated_at: str = "2026-01-01T00:00:00.0000000Z") -> None:
        self.entities[state["id"]] = (state, operated_at)

    def binding(self) -> str:
        """What the host hands to a function with a durable client."""
        web_hook = "http://public.example/runtime/webhooks/durabletask"
        end = "?taskHub=Hub&connection=Storage&code=TASKHUBSECRET"
        instance = f"{web_hook}/instances/INSTANCEID"
        return json.dumps(
            {
                "taskHubName": "Hub",
                "creationUrls": {"createNewInstancePostUri": f"{web_hook}/orchestrators/{{functionName}}{end}"},
                "managementUrls": {
                    "id": "INSTANCEID",
                    "statusQueryGetUri": instance + end,
                    "sendEventPostUri": f"{instance}/raiseEvent/{{eventName}}{end}",
                    "terminatePostUri": f"{instance}/terminate{end}&reason={{text}}",
                    "rewindPostUri": f"{instance}/rewind{end}&reason={{text}}",
                    "purgeHistoryDeleteUri": instance + end,
                },
                "rpcBaseUrl": self.url,
            }
        )

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._watch])
        app.router.add_get("/durabletask/entities/drone", self._list)
        app.router.add_get("/durabletask/entities/drone/{key}", self._get)
        app.router.add_post("/durabletask/entities/{name}/{key}", self._signal)
        app.router.add_post("/durabletask/orchestrators/{name}/{id}", self._start)
        app.router.add_get("/admin/host/status", self._host)
        app.router.add_get("/durabletask/instances", self._instances)
        app.router.add_get("/durabletask/instances/{id}", self._status)
        app.router.add_delete("/durabletask/instances/{id}", self._purge)
        app.router.add_post("/durabletask/instances/{id}/{operation}", self._steer)
        return app

    @web.middleware
    async def _watch(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.requests.append(f"{request.method} {request.path_qs}")
        if self.down:
            return web.json_response({"Message": "down"}, status=500)
        response: web.StreamResponse = await handler(request)
        return response

    async def _list(self, request: web.Request) -> web.Response:
        query = {name.lower(): value for name, value in request.query.items()}
        token = request.headers.get(TOKEN_HEADER)
        since = query.get("lastoperationtimefrom", "")
        fetch = query.get("fetchstate") == "true"
        try:
            start = base64.b64decode(token, validate=True).decode() if token else ""
        except ValueError:
            return web.json_response({"Message": "token"}, status=400)
        keys = [key for key in sorted(self.entities) if key >= start and self.entities[key][1] >= since]
        top = int(query.get("top", "100"))
        rows = [
            {
                "entityId": {"name": "drone", "key": key},
                "lastOperationTime": self.entities[key][1],
                "state": self.entities[key][0] if fetch else None,
            }
            for key in keys[:top]
        ]
        following = base64.b64encode(keys[top].encode()).decode() if len(keys) > top else ""
        return web.json_response(rows, headers={TOKEN_HEADER: following})

    async def _get(self, request: web.Request) -> web.Response:
        found = self.entities.get(request.match_info["key"])
        return web.Response(status=404) if found is None else web.json_response(found[0])

    async def _signal(self, request: web.Request) -> web.Response:
        return web.Response(status=202)

    async def _start(self, request: web.Request) -> web.Response:
        self.started[request.match_info["id"]] = json.loads(await request.json())
        return web.json_response({"id": request.match_info["id"]}, status=202)

    def orchestration(self, instance_id: str, created: str, status: str = "Completed", **more: Any) -> None:
        """Keep one; times are the API's, of whole seconds."""
        self.instances[instance_id] = {
            "name": "process_batch",
            "instanceId": instance_id,
            "runtimeStatus": status,
            "input": None,
            "customStatus": None,
            "output": None,
            "createdTime": created,
            "lastUpdatedTime": created,
            "historyEvents": [],
            **more,
        }

    async def _host(self, request: web.Request) -> web.Response:
        status, body = self.host_status or (200, {"state": "Running", "errors": self.host_errors})
        return web.json_response(body, status=status)

    async def _instances(self, request: web.Request) -> web.Response:
        query = request.query
        wanted = query["runtimeStatus"].split(",") if "runtimeStatus" in query else None
        begin, end = query.get("createdTimeFrom", "").rstrip("Z"), query.get("createdTimeTo", "~").rstrip("Z")
        ids = [
            key
            for key, one in sorted(self.instances.items())
            if key.startswith(query.get("instanceIdPrefix", ""))
            and begin <= one["createdTime"].rstrip("Z") <= end
            and (wanted is None or one["runtimeStatus"] in wanted)
        ]
        start, top = int(request.headers.get(TOKEN_HEADER, "0")), int(query["top"])
        following = str(start + top) if len(ids) > start + top else ""
        rows = [
            {name: value for name, value in self.instances[key].items() if name != "historyEvents"}
            for key in ids[start : start + top]
        ]
        return web.json_response(rows, headers={TOKEN_HEADER: following})

    async def _status(self, request: web.Request) -> web.Response:
        instance_id = request.match_info["id"]
        known = self.instances.get(instance_id)
        if known is not None:
            shown = {**known}
            if request.query.get("showHistory") != "true":
                del shown["historyEvents"]
            return web.json_response(shown, status=200)
        status = self.statuses.get(instance_id)
        if status is None:
            return web.Response(status=404)
        return web.json_response({"instanceId": instance_id, "runtimeStatus": status})

    async def _purge(self, request: web.Request) -> web.Response:
        if self.instances.pop(request.match_info["id"], None) is None:
            return web.Response(status=404)
        return web.json_response({"instancesDeleted": 1})

    async def _steer(self, request: web.Request) -> web.Response:
        known = self.instances.get(request.match_info["id"])
        operation = request.match_info["operation"]
        if known is None:
            return web.Response(status=400 if operation == "restart" else 404)
        if operation == "restart":
            return web.json_response({"id": "new"}, status=202)
        known["runtimeStatus"] = {"suspend": "Suspended", "resume": "Running", "terminate": "Terminated"}[operation]
        known["output"] = request.query.get("reason")
        return web.Response(status=202)
