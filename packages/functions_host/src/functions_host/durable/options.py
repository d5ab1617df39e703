"""Settings of ``extensions.durableTask`` in host.json."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

logger = logging.getLogger(__name__)

_WITHOUT_EFFECT = frozenset(
    {
        "tracing",
        "notifications",
        "extendedsessionsenabled",
        "extendedsessionidletimeoutinseconds",
        "usegracefulshutdown",
        "useapplease",
        "maxconcurrententityfunctions",
        "entitymessagereorderwindowinminutes",
        "rollbackentityoperationsonexceptions",
        "localrpcendpointenabled",
        "maxgrpcmessagesizeinbytes",
        "grpchttpclienttimeout",
        "usetablepartitionmanagement",
        "maxorchestrationactions",
        "storeinputsinorchestrationhistory",
    }
)


@dataclass(frozen=True, slots=True)
class DurableOptions:
    """What the engine reads from host.json; defaults are those of the real extension, fitted to one machine.

    `synchronous`: ``normal`` survives kill -9 of the process (SQLite has handed every commit to the operating
    system); ``full`` also survives a power cut, for one disk flush a commit. Set in host.json as
    ``storageProvider.synchronous``, which the real extension ignores.
    """

    hub_name: str = "TestHubName"
    connection_name: str = "Storage"
    max_concurrent_activities: int = 10 * (os.cpu_count() or 1)
    max_concurrent_orchestrators: int = 10 * (os.cpu_count() or 1)
    max_entity_batch: int = 5000
    default_version: str | None = None
    version_match: str = "CurrentOrOlder"
    version_failure: str = "Reject"
    replace_running: bool = False
    http_sleep_milliseconds: int = 30_000
    synchronous: str = "normal"

    @classmethod
    def from_host_json(cls, host_json: Mapping[str, Any]) -> DurableOptions:
        """Read a whole host.json document; keys that mean nothing here are named in one warning each."""
        section = (host_json.get("extensions") or {}).get("durableTask") or {}
        return cls.from_section(section)

    @classmethod
    def from_section(cls, section: Mapping[str, Any]) -> DurableOptions:
        """Read the ``durableTask`` section alone."""
        known = {key.lower(): value for key, value in section.items()}
        provider = {key.lower(): value for key, value in (known.pop("storageprovider", None) or {}).items()}
        http = {key.lower(): value for key, value in (known.pop("httpsettings", None) or {}).items()}
        plain = cls()
        options = cls(
            hub_name=str(known.pop("hubname", None) or plain.hub_name),
            connection_name=str(
                provider.get("connectionname") or provider.get("connectionstringname") or plain.connection_name
            ),
            max_concurrent_activities=_positive(
                known, "maxconcurrentactivityfunctions", plain.max_concurrent_activities
            ),
            max_concurrent_orchestrators=_positive(
                known, "maxconcurrentorchestratorfunctions", plain.max_concurrent_orchestrators
            ),
            max_entity_batch=_positive(known, "maxentityoperationbatchsize", plain.max_entity_batch),
            default_version=_text(known.pop("defaultversion", None)),
            version_match=_one_of(known, "versionmatchstrategy", ("CurrentOrOlder", "Strict", "None")),
            version_failure=_one_of(known, "versionfailurestrategy", ("Reject", "Fail")),
            replace_running=str(known.pop("overridableexistinginstancestates", "")).lower() == "anystate",
            http_sleep_milliseconds=int(
                http.get("defaultasyncrequestsleeptimemilliseconds", plain.http_sleep_milliseconds)
            ),
            synchronous="full" if str(provider.get("synchronous", "")).lower() == "full" else "normal",
        )
        for key in known:
            if key not in _WITHOUT_EFFECT:
                logger.warning("host.json extensions.durableTask.%s is not known to this host; it is ignored", key)
        return options


def _text(value: Any) -> str | None:
    return None if value is None or value == "" else str(value)


def _positive(section: dict[str, Any], key: str, default: int) -> int:
    value = section.pop(key, None)
    if value is None:
        return default
    number = int(value)
    if number < 1:
        raise ValueError(f"host.json extensions.durableTask.{key} must be at least 1, not {value!r}")
    return number


def _one_of(section: dict[str, Any], key: str, choices: tuple[str, ...]) -> str:
    value = section.pop(key, None)
    if value is None:
        return choices[0]
    for choice in choices:
        if str(value).lower() == choice.lower():
            return choice
    raise ValueError(f"host.json extensions.durableTask.{key} must be one of {', '.join(choices)}, not {value!r}")
