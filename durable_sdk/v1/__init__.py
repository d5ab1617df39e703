"""azure-functions-durable 1.x. When the app leaves it, this folder goes, and with it the choice in ``durable_sdk``."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import azure.durable_functions as df

from durable_sdk.v1.client import Client
from durable_sdk.v1.entities import Entities
from durable_sdk.v1.instances import Instances
from durable_sdk.v1.session import close_session

Blueprint = df.Blueprint

__all__ = ["Blueprint", "Client", "Entities", "Instances", "close_session", "host_url", "reason_of"]


def host_url(client: Any) -> str | None:
    parts = urlsplit(str(client._orchestration_bindings.rpc_base_url))
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") else None


def reason_of(error: Exception) -> str:
    """What went wrong in an activity's own words: the host's stack trace follows them."""
    return str(error).partition(" \n ")[0].strip()
