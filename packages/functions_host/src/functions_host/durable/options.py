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
        """Read a whole host.json document. ValueError, in one line with the setting's name, for a wrong value.

        Keys that mean nothing here are named in one warning each.
        """
        return cls.from_section(_Part(host_json, "").part("extensions").part("durableTask").values)

    @classmethod
    def from_section(cls, section: Mapping[str, Any]) -> DurableOptions:
        """Read the ``durableTask`` section alone; ValueError as above."""
        part, plain = _Part(section, "extensions.durableTask"), cls()
        provider, http = part.part("storageProvider"), part.part("httpSettings")
        options = cls(
            hub_name=part.text("hubName") or plain.hub_name,
            connection_name=provider.text("connectionName")
            or provider.text("connectionStringName")
            or plain.connection_name,
            max_concurrent_activities=part.number("maxConcurrentActivityFunctions", plain.max_concurrent_activities),
            max_concurrent_orchestrators=part.number(
                "maxConcurrentOrchestratorFunctions", plain.max_concurrent_orchestrators
            ),
            max_entity_batch=part.number("maxEntityOperationBatchSize", plain.max_entity_batch),
            default_version=part.text("defaultVersion") or None,
            version_match=part.one_of("versionMatchStrategy", "CurrentOrOlder", "Strict", "None"),
            version_failure=part.one_of("versionFailureStrategy", "Reject", "Fail"),
            replace_running=part.one_of("overridableExistingInstanceStates", "NonRunningStates", "AnyState")
            == "AnyState",
            http_sleep_milliseconds=http.number(
                "defaultAsyncRequestSleepTimeMilliseconds", plain.http_sleep_milliseconds
            ),
            synchronous=provider.one_of("synchronous", "normal", "full"),
        )
        for key in part.unread():
            if key.lower() not in _WITHOUT_EFFECT:
                logger.warning("host.json extensions.durableTask.%s is not known to this host; it is ignored", key)
        return options


class _Part:
    """One object of host.json: names without regard to case, numbers also as texts. Its methods raise ValueError."""

    def __init__(self, values: Mapping[str, Any], path: str) -> None:
        self.values = values
        self._path = path
        self._names = {str(key).lower(): str(key) for key in values}
        self._read: set[str] = set()

    def part(self, name: str) -> _Part:
        value = self._value(name)
        if value is not None and not isinstance(value, Mapping):
            raise self._wrong(name, value, "an object")
        return _Part(value or {}, f"{self._path}.{name}".lstrip("."))

    def text(self, name: str) -> str:
        value = self._value(name)
        if isinstance(value, (Mapping, list, bool)):
            raise self._wrong(name, value, "a text")
        return "" if value is None else str(value)

    def number(self, name: str, default: int) -> int:
        value = self._value(name)
        if value is None:
            return default
        text = str(value).strip()
        if isinstance(value, bool) or not (text.isascii() and text.isdigit() and 0 < int(text) < 2**31):
            raise self._wrong(name, value, "a whole number of at least 1")
        return int(text)

    def one_of(self, name: str, *choices: str) -> str:
        """The first of `choices` is the default."""
        value = self._value(name)
        if value is None:
            return choices[0]
        for choice in choices:
            if str(value).lower() == choice.lower():
                return choice
        raise self._wrong(name, value, f"one of {', '.join(choices)}")

    def unread(self) -> list[str]:
        """The names that nobody asked for."""
        return [name for folded, name in self._names.items() if folded not in self._read]

    def _value(self, name: str) -> Any:
        self._read.add(name.lower())
        known = self._names.get(name.lower())
        return None if known is None else self.values[known]

    def _wrong(self, name: str, value: Any, allowed: str) -> ValueError:
        text = repr(value)
        return ValueError(
            f"host.json {f'{self._path}.{name}'.lstrip('.')} must be {allowed}, "
            f"not {text if len(text) <= 80 else text[:77] + '...'}"
        )
