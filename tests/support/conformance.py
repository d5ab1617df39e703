"""Holds answers against the OpenAPI description: status, media type, headers and body."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

Json = dict[str, Any]
_BASE = "urn:openapi"


class Description:
    """An OpenAPI 3.1 document as something to measure answers by."""

    def __init__(self, document: Json) -> None:
        self.document = document
        resource = Resource.from_contents(document, default_specification=DRAFT202012)
        self._registry: Any = Registry().with_resource(_BASE, resource)
        self._validator = cache(self._new_validator)

    def operations(self) -> dict[tuple[str, str], Json]:
        """(METHOD, path) -> operation."""
        return {
            (method.upper(), path): operation
            for path, item in self.document["paths"].items()
            for method, operation in item.items()
        }

    def check(self, method: str, path: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """AssertionError when the description does not say that this may be answered. Header names in lower case."""
        where = f"{method} {path} → {status}"
        responses = self.operations()[method, path]["responses"]
        assert str(status) in responses, f"{where}: not described; described are {sorted(responses)}"
        response, pointer = self._resolved(responses[str(status)], self._pointer(method, path, status))
        for name, header in response.get("headers", {}).items():
            assert name.lower() in headers, f"{where}: header {name} is missing"
            assert header["schema"]
        content = response.get("content")
        if content is None:
            assert body == b"", f"{where}: has a body that is not described"
            return
        media_type = headers["content-type"].partition(";")[0].strip()
        assert media_type in content or "*/*" in content, f"{where}: {media_type} is not described"
        if media_type.endswith("json") and media_type in content:
            errors = self._validator(f"{pointer}/content/{_escaped(media_type)}/schema").iter_errors(json.loads(body))
            told = [f"{error.json_path}: {error.message}" for error in errors]
            assert not told, f"{where}: {told[:5]}"

    def _resolved(self, response: Json, pointer: str) -> tuple[Json, str]:
        if "$ref" not in response:
            return response, pointer
        pointer = response["$ref"].removeprefix("#")
        target: Any = self.document
        for part in pointer.strip("/").split("/"):
            target = target[part]
        return target, pointer

    @staticmethod
    def _pointer(method: str, path: str, status: int) -> str:
        return f"/paths/{_escaped(path)}/{method.lower()}/responses/{status}"

    def _new_validator(self, pointer: str) -> Draft202012Validator:
        return Draft202012Validator(
            {"$ref": f"{_BASE}#{pointer}"}, registry=self._registry, format_checker=FormatChecker()
        )


def _escaped(part: str) -> str:
    pointer = part.replace("~", "~0").replace("/", "~1")
    return pointer.replace("{", "%7B").replace("}", "%7D").replace("+", "%2B")
