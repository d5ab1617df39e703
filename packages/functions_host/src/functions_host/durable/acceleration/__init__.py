"""Quicker stand-ins for slow parts of azure-functions-durable, with equal results.

The SDK parses every history event's time with dateutil and compiles a class, at every step: most of what an
orchestration costs. And its client talks HTTP to the host it runs in. These are replaced in the SDK's modules.
"""

from functions_host.durable.acceleration.codec import df_dumps, install_codec
from functions_host.durable.acceleration.executor import install_executor
from functions_host.durable.acceleration.loopback import install_loopback, uninstall_loopback
from functions_host.durable.acceleration.signalling import install_signalling, uninstall_signalling
from functions_host.durable.acceleration.timestamps import install_timestamps, parse_timestamp

__all__ = [
    "df_dumps",
    "install_codec",
    "install_executor",
    "install_loopback",
    "install_signalling",
    "install_timestamps",
    "parse_timestamp",
    "uninstall_loopback",
    "uninstall_signalling",
]
