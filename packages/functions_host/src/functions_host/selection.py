"""Which functions of an app are run: not those that are disabled, nor, if so asked, those with unknown bindings."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from functions_host.errors import StartError

TRIGGERS = frozenset(
    {
        "httpTrigger",
        "timerTrigger",
        "eventHubTrigger",
        "orchestrationTrigger",
        "activityTrigger",
        "entityTrigger",
        "warmupTrigger",
    }
)
_INPUTS = frozenset({"durableClient"})
_OUTPUTS = frozenset({"http", "eventHub"})
_SETTING = re.compile(r"AzureWebJobs(?:\.|__|:)(?P<name>.+?)(?:\.|__|:)Disabled", re.IGNORECASE)
_YES, _NO = ("true", "1"), ("false", "0", "")


@dataclass(frozen=True, slots=True)
class Rules:
    """`only`: host.json's ``functions``, None for all. `skip_unsupported`: the option of that name."""

    only: tuple[str, ...] | None = None
    skip_unsupported: bool = False


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A function that is not run, and why. `bindings` are function.json dictionaries, the trigger among them."""

    name: str
    trigger: dict[str, Any]
    bindings: list[dict[str, Any]]
    script: str
    reason: str

    @property
    def kind(self) -> str:
        return str(self.trigger.get("type") or "")

    @property
    def durable_name(self) -> str:
        return durable_name(self.trigger, self.name)


def select(
    functions: Iterable[Any], rules: Rules, script: str = "function_app.py", environ: Mapping[str, str] | None = None
) -> tuple[list[Any], list[LeftOut]]:
    """Part azure.functions' Function objects into those to run and those left out.

    Raises StartError for a ``Disabled`` setting that is neither true nor false, and, without `skip_unsupported`, for
    unsupported triggers and bindings: all at once, each with its function's name.
    """
    off = disabled_settings(os.environ if environ is None else environ)
    only = None if rules.only is None else {name.lower() for name in rules.only}
    kept: list[Any] = []
    left_out: list[LeftOut] = []
    problems: list[str] = []
    for function in functions:
        name = str(function.get_function_name())
        unsupported = _unsupported(function)
        if name.lower() in off:
            left_out.append(_left_out(function, script, f"it is disabled ({off[name.lower()]})"))
        elif only is not None and name.lower() not in only:
            left_out.append(_left_out(function, script, "it is disabled (host.json functions does not name it)"))
        elif unsupported and rules.skip_unsupported:
            left_out.append(_left_out(function, script, f"this host does not support its {' and '.join(unsupported)}"))
        elif unsupported:
            problems += [f"function {name!r}: {problem}" for problem in unsupported]
        else:
            kept.append(function)
    if problems:
        raise StartError(
            "this host does not support:\n" + "\n".join(f"  - {problem}" for problem in problems) + "\n"
            "to run the rest of the app: start with --skip-unsupported, or disable such a function with the setting "
            "AzureWebJobs.<function>.Disabled=true"
        )
    return kept, left_out


def disabled_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """Lower-case names of the functions that a setting disables, each with that setting.

    As .NET's configuration reads them: ``AzureWebJobs.NAME.Disabled``, or with two underscores for each dot, whatever
    the case.
    """
    found: dict[str, str] = {}
    for setting, value in environ.items():
        match = _SETTING.fullmatch(setting)
        if match is None:
            continue
        text = value.strip().lower()
        if text not in _YES + _NO:
            raise StartError(f"the setting {setting} must be true or false, not {value!r}")
        if text in _YES:
            found[match.group("name").lower()] = setting
    return found


def unknown_names(names: Iterable[str], only: Iterable[str] | None, environ: Mapping[str, str]) -> list[str]:
    """What host.json ``functions`` and the ``Disabled`` settings name and the app does not have, each in words."""
    known = {name.lower() for name in names}
    found = [f"host.json functions names {name!r}" for name in only or () if name.lower() not in known]
    settings = disabled_settings(environ).items()
    return found + [f"the setting {setting} names {name!r}" for name, setting in settings if name not in known]


def durable_name(trigger: Mapping[str, Any], name: str) -> str:
    """The name orchestrations, activities and entities are called by."""
    return next((str(trigger[key]) for key in ("orchestration", "activity", "entityName") if trigger.get(key)), name)


def raw_bindings(function: Any) -> list[dict[str, Any]]:
    return [json.loads(text) for text in function.get_raw_bindings()]


def _left_out(function: Any, script: str, reason: str) -> LeftOut:
    bindings = raw_bindings(function)
    named = function.get_trigger().name
    trigger = next((binding for binding in bindings if binding["name"] == named), {})
    return LeftOut(str(function.get_function_name()), trigger, bindings, script, reason)


def _unsupported(function: Any) -> list[str]:
    trigger = function.get_trigger()
    found = []
    for binding in function.get_bindings():
        kind = str(binding.type)
        if binding is trigger:
            if kind not in TRIGGERS:
                found.append(f"trigger {kind!r} (parameter {binding.name!r})")
        elif kind not in (_INPUTS if binding.direction == 0 else _OUTPUTS):
            way = {0: "input", 1: "output"}.get(binding.direction, "inout")
            found.append(f"{way} binding {kind!r} (parameter {binding.name!r})")
    return found
