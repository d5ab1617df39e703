"""Installs what the servers need, before a test does. Where it cannot be had those tests are skipped, and say so."""

from __future__ import annotations

from tests.support.servers.azure_servers import ServersUnavailable, install

try:
    install()
except ServersUnavailable as reason:
    print(f"the Azure adapters' tests will be skipped: {reason}")
