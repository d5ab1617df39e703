"""azure-functions-durable 2.x, a rewrite over durabletask that speaks gRPC: see docs/durable-2x.md."""

from __future__ import annotations

from typing import Any

import azure.durable_functions as df
import azure.functions as func

from durable_sdk.v2.client import Client
from durable_sdk.v2.entities import Entities, close_clients
from durable_sdk.v2.instances import Instances

__all__ = ["Blueprint", "Client", "Entities", "Instances", "close_clients", "host_url", "reason_of"]


class Blueprint(df.Blueprint, func.SettingsApi):  # type: ignore[misc]  # both are Any to the type checker
    """With ``retry``, which 2.x left out of its own."""


def host_url(client: Any) -> str | None:
    return None  # its base URL speaks gRPC


def reason_of(error: Exception) -> str:
    """What went wrong in an activity's own words: the error's text has the instance's id around them."""
    details = getattr(error, "details", None)
    return str(error).strip() if details is None else f"{details.error_type}: {details.message}".strip()
