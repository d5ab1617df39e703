"""The OpenAPI 3.1 description of the HTTP API: written here, served at /api/openapi.json, tested against the routes."""

from http_api.openapi.document import DOCUMENT

__all__ = ["DOCUMENT"]
