"""The Durable HTTP management API, below ``/runtime/webhooks/durabletask``."""
