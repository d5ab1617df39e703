"""Values that several operations take."""

from __future__ import annotations

from http_api.openapi.parts import Json

ANY_TEXT: Json = {"type": "string", "pattern": r"^[^\x00-\x1f\x7f-\x9f]{1,256}$"}
LINES: Json = {"type": "string", "pattern": r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]{1,1000}$"}
TIME_VALUE: Json = {"type": "string", "format": "date-time"}
