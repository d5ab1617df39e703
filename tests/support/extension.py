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
    """``entities``: key -> (state, last operation time). ``down`` makes every answer a 500."""

    entities: dict[str, tuple[Any, str]] = field(default_factory=dict)
    started: dict[str, Any] = field(default_factory=dict)
    statuses: dict[str, str] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    down: bool = False
    url: str = ""

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
        app.router.add_get("/durabletask/instances/{id}", self._status)
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

    async def _status(self, request: web.Request) -> web.Response:
        status = self.statuses.get(request.match_info["id"])
        if status is None:
            return web.Response(status=404)
        return web.json_response({"instanceId": request.match_info["id"], "runtimeStatus": status})
