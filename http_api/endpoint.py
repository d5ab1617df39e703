"""What every route has in common: authorization first, then parameters, then the handler; errors become problem+json.

An ``Api`` is one Blueprint with a table of its endpoints, so that tests and the OpenAPI document can be held against
what is really registered.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import azure.durable_functions as df
import azure.functions as func

from durable_sdk import InvalidHostToken
from http_api.authorization import Role, authorize
from http_api.origin import refuse_foreign
from http_api.parameters import Parameter, invalid_continuation, read_parameters
from http_api.problem import Problem, unavailable
from pipeline.ports import InvalidContinuation, StoreUnavailable
from settings import get_settings

_LOG = logging.getLogger("http_api")


@dataclass(frozen=True)
class Call:
    """One request as a handler sees it: checked parameters by name, path parts as the host decoded them, the client."""

    request: func.HttpRequest
    query: Mapping[str, Any] = field(default_factory=dict)
    client: Any = None

    @property
    def path(self) -> Mapping[str, str]:
        parts: Mapping[str, str] = self.request.route_params
        return parts


Handler = Callable[[Call], Awaitable[func.HttpResponse]]


@dataclass(frozen=True)
class Endpoint:
    """One route. ``query`` None: the query string is not looked at (the page)."""

    name: str
    method: str
    path: str
    role: Role | None
    query: Mapping[str, Parameter] | None
    handler: Handler
    durable: bool


class Api:
    def __init__(self) -> None:
        self.blueprint = df.Blueprint()
        self.endpoints: list[Endpoint] = []

    def route(
        self,
        method: str,
        path: str,
        *,
        role: Role | None,
        query: Mapping[str, Parameter] | None = None,
        checked: bool = True,
        durable: bool = False,
    ) -> Callable[[Handler], Handler]:
        """Registers a handler. ``checked`` False: any query string is fine. ``durable`` hands over a durable client."""

        def register(handler: Handler) -> Handler:
            name = handler.__name__
            endpoint = Endpoint(name, method, path, role, (query or {}) if checked else None, handler, durable)
            self.endpoints.append(endpoint)
            self._register(endpoint)
            return handler

        return register

    def _register(self, endpoint: Endpoint) -> None:
        # The worker looks at the function's own signature, so there is one for each set of bindings.
        if endpoint.durable:

            async def run(req: func.HttpRequest, client: str) -> func.HttpResponse:
                return await answer(endpoint, req, client)

            wanted: Any = self.blueprint.durable_client_input(client_name="client")(run)
        else:

            async def run(req: func.HttpRequest) -> func.HttpResponse:  # type: ignore[misc]
                return await answer(endpoint, req, None)

            wanted = run
        run.__name__ = run.__qualname__ = endpoint.name
        routed = self.blueprint.route(
            route=endpoint.path.strip("/") or "/",
            methods=[endpoint.method],
            auth_level=func.AuthLevel.ANONYMOUS,  # roles are App Service's, see authorization
        )(wanted)
        self.blueprint.function_name(endpoint.name)(routed)


async def answer(endpoint: Endpoint, request: func.HttpRequest, client: Any) -> func.HttpResponse:
    """The answer to one request; nothing is read before the caller is known to be allowed."""
    try:
        authorize(get_settings(), request.headers, endpoint.role)
        refuse_foreign(request, get_settings().allowed_origins)
        query = {} if endpoint.query is None else read_parameters(request, endpoint.query)
        return await _handled(endpoint, Call(request, query, client))
    except Problem as problem:
        return problem.response()
    except Exception:
        reference = uuid.uuid4().hex
        _LOG.exception("%s %s failed (reference %s)", endpoint.method, endpoint.path, reference)
        return Problem("internal-error", f"the log says more under the reference {reference}").response()


async def _handled(endpoint: Endpoint, call: Call) -> func.HttpResponse:
    try:
        return await endpoint.handler(call)
    except StoreUnavailable as error:
        _LOG.warning("%s %s: store unavailable: %s", endpoint.method, endpoint.path, error)
        raise unavailable("the store cannot be reached at the moment") from error
    except (InvalidContinuation, InvalidHostToken) as error:
        raise invalid_continuation(call.query.get("continuation") or "") from error
    except (aiohttp.ClientError, asyncio.TimeoutError, ConnectionError) as error:
        _LOG.warning("%s %s: durable API unavailable: %r", endpoint.method, endpoint.path, error)
        raise unavailable("the Durable Functions extension cannot be reached at the moment") from error
