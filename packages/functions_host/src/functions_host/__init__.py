"""A local Azure Functions host for Python apps: HTTP, timers, Event Hubs and Durable Functions."""

__version__ = "0.2.0"
