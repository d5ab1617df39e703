"""CORS as local.settings.json's Host section asks for it (`CORS`: "*" or origins by comma; `CORSCredentials`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aiohttp import web


@dataclass(frozen=True, slots=True)
class Cors:
    origins: frozenset[str]
    credentials: bool = False

    @classmethod
    def from_settings(cls, host: dict[str, Any]) -> Cors | None:
        text = str(host.get("CORS") or "")
        origins = frozenset(part.strip().rstrip("/") for part in text.split(",") if part.strip())
        return cls(origins, bool(host.get("CORSCredentials"))) if origins else None

    def admits(self, origin: str) -> bool:
        """Whether pages of this origin (in any case) may."""
        return "*" in self.origins or origin.lower() in {known.lower() for known in self.origins}

    def preflight(self, request: web.BaseRequest) -> web.Response | None:
        """The answer to a preflight request; None for every other request."""
        if request.method != "OPTIONS" or "Access-Control-Request-Method" not in request.headers:
            return None
        response = web.Response(status=204)
        if self.allow(request, response):
            response.headers["Access-Control-Allow-Methods"] = request.headers["Access-Control-Request-Method"]
            asked = request.headers.get("Access-Control-Request-Headers")
            if asked:
                response.headers["Access-Control-Allow-Headers"] = asked
        return response

    def allow(self, request: web.BaseRequest, response: web.StreamResponse) -> bool:
        origin = request.headers.get("Origin")
        if origin is None or not ("*" in self.origins or origin in self.origins):
            return False
        anyone = "*" in self.origins and not self.credentials
        response.headers["Access-Control-Allow-Origin"] = "*" if anyone else origin
        if self.credentials:
            response.headers["Access-Control-Allow-Credentials"] = "true"
        if not anyone:
            response.headers.add("Vary", "Origin")
        return True
