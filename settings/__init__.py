"""The one room that reads settings, once, and says which one is wrong.

``get_settings()`` reads the environment on its first call and keeps the result. A wrong value raises ``SettingError``
with the setting's name, the value (never a secret's) and what is allowed; ``function_app`` calls it while it is
imported, so a wrong setting stops the start of the host.

The one thing read later is the hub's connection (``get_event_hub()``): a local host hands it out only once it has seen,
in the triggers, that it is needed.
"""

from __future__ import annotations

import functools
import os

from settings.alerts import Alerts, Webhook
from settings.app import Settings, read_settings
from settings.azure_store import AzureStoreSettings
from settings.errors import SettingError
from settings.event_hub import EventHub, read_event_hub
from settings.faults import InjectedFault
from settings.flights import Flights
from settings.reader import APP_ROOT
from settings.retention import Retention
from settings.sweeping import Sweeping

__all__ = [
    "APP_ROOT",
    "Alerts",
    "AzureStoreSettings",
    "EventHub",
    "Flights",
    "InjectedFault",
    "Retention",
    "SettingError",
    "Settings",
    "Sweeping",
    "Webhook",
    "get_event_hub",
    "get_settings",
    "read_event_hub",
    "read_settings",
]


@functools.cache
def get_settings() -> Settings:
    """The settings of this process, read from the environment on the first call."""
    return read_settings(os.environ)


@functools.cache
def get_event_hub() -> EventHub:
    """The hub of this process; read on the first call that finds it set."""
    return read_event_hub(os.environ, get_settings())
