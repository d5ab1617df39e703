"""The Durable SDK's client, 1.x and 2.x, as the pipeline asks it (``pipeline.durable``)."""

from durable_sdk.client import durable_client

__all__ = ["durable_client"]
