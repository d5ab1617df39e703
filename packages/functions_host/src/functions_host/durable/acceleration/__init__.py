"""Quicker stand-ins for two slow parts of azure-functions-durable, with equal results.

The SDK parses every history event's time with dateutil, at every step: most of what an orchestration costs. And its
client talks HTTP to the host it runs in. Both are replaced in the SDK's modules while an engine runs.
"""

from functions_host.durable.acceleration.loopback import install_loopback, uninstall_loopback
from functions_host.durable.acceleration.timestamps import install_timestamps, parse_timestamp

__all__ = ["install_loopback", "install_timestamps", "parse_timestamp", "uninstall_loopback"]
