"""One indexed function: its trigger, bindings and signature, checked the way the Python worker checks them."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from functions_host.bindings import GENERIC, converter_for, has_implicit_output
from functions_host.errors import StartError
from functions_host.retry import RetryPolicy, read_retry_policy
from functions_host.selection import durable_name, raw_bindings


@dataclass(frozen=True, slots=True)
class Slot:
    """A parameter (or the return value) and the converter that reads or writes it."""

    name: str
    binding: dict[str, Any]
    converter: Any
    pytype: Any


@dataclass(frozen=True)
class FunctionInfo:
    """What is known of a function without its code. `trigger` and `bindings` are function.json dictionaries."""

    name: str
    directory: str
    script: str
    trigger: dict[str, Any]
    bindings: list[dict[str, Any]]
    retry: RetryPolicy | None
    # Whether the trigger's parameter is annotated as a list of something.
    asks_for_several: bool = False

    @property
    def kind(self) -> str:
        return str(self.trigger["type"])

    @property
    def takes_many(self) -> bool:
        """Whether an Event Hubs trigger hands over batches. Without ``cardinality`` it is one event a call, as in the
        real host."""
        return str(self.trigger.get("cardinality") or "one").lower() == "many"

    @property
    def durable_name(self) -> str:
        return durable_name(self.trigger, self.name)


@dataclass(frozen=True, kw_only=True)
class LoadedFunction(FunctionInfo):
    """A function ready to be invoked."""

    call: Callable[..., Any]
    is_async: bool
    requires_context: bool
    trigger_slot: Slot
    inputs: list[Slot] = field(default_factory=list)
    outputs: list[Slot] = field(default_factory=list)
    returns: Slot | None = None


def index(functions: Iterable[Any], script: str = "function_app.py") -> list[LoadedFunction]:
    """Check and describe azure.functions' Function objects; StartError where a signature does not fit its bindings."""
    return [_describe(function, script) for function in functions]


def _describe(function: Any, script: str) -> LoadedFunction:
    name = str(function.get_function_name())
    call = function.get_user_function()
    bindings = raw_bindings(function)
    trigger_name = function.get_trigger().name
    trigger = next(binding for binding in bindings if binding["name"] == trigger_name)
    parameters = dict(inspect.signature(call).parameters)
    try:
        annotations = typing.get_type_hints(call)
    except Exception as error:
        raise StartError(f"function {name!r}: its annotations cannot be read: {error}") from error
    bound = {binding["name"]: binding for binding in bindings if binding["name"] != "$return"}
    requires_context = "context" in parameters and "context" not in bound
    if requires_context and trigger["type"] in ("orchestrationTrigger", "entityTrigger"):
        raise StartError(f"function {name!r}: context_name must be 'context' ({trigger_name!r} is not)")
    if requires_context:
        parameters.pop("context")
        annotation = annotations.get("context")
        if annotation is not None and getattr(annotation, "__name__", "") != "Context":
            raise StartError(f"function {name!r}: the 'context' parameter must be of type azure.functions.Context")
    if set(parameters) - set(bound):
        extra = ", ".join(sorted(set(parameters) - set(bound)))
        raise StartError(f"function {name!r}: these parameters are declared in Python but have no binding: {extra}")
    if set(bound) - set(parameters):
        lost = ", ".join(sorted(set(bound) - set(parameters)))
        raise StartError(f"function {name!r}: these bindings have no parameter in Python: {lost}")
    slots = {key: _slot(name, bound[key], annotations) for key in parameters}
    return LoadedFunction(
        name=name,
        call=call,
        directory=str(Path(inspect.getfile(call)).parent),
        script=script,
        trigger=trigger,
        bindings=bindings,
        is_async=inspect.iscoroutinefunction(call),
        requires_context=requires_context,
        trigger_slot=slots[trigger_name],
        inputs=[slots[k] for k in parameters if k != trigger_name and not _is_out(bound[k])],
        outputs=[slots[k] for k in parameters if _is_out(bound[k])],
        returns=_return_slot(name, bindings, annotations),
        retry=read_retry_policy(function, name),
        asks_for_several=typing.get_origin(slots[trigger_name].pytype) is not None,
    )


def _is_out(binding: dict[str, Any]) -> bool:
    return str(binding.get("direction", "")).upper() == "OUT"


def _slot(function: str, binding: dict[str, Any], annotations: dict[str, Any]) -> Slot:
    name = binding["name"]
    annotation = annotations.get(name)
    origin = typing.get_origin(annotation) or annotation
    annotated_out = isinstance(origin, type) and origin.__name__ == "Out"
    pytype = annotation
    if annotated_out:
        arguments = typing.get_args(annotation)
        if len(arguments) != 1:
            raise StartError(f"function {function!r}: binding {name!r} has an invalid Out annotation {annotation!r}")
        pytype = arguments[0]
    if annotation is not None and _is_out(binding) != annotated_out:
        way = "an output: annotate it with func.Out[...]" if _is_out(binding) else "an input, but annotated func.Out"
        raise StartError(f"function {function!r}: binding {name!r} is {way}")
    generic = pytype in (str, bytes) and not has_implicit_output(binding["type"])
    converter = GENERIC if generic else converter_for(binding["type"])
    if annotation is not None:
        _check_annotation(function, binding, converter, pytype)
    return Slot(name, binding, converter, pytype)


def _check_annotation(function: str, binding: dict[str, Any], converter: Any, pytype: Any) -> None:
    check = converter.check_output_type_annotation if _is_out(binding) else converter.check_input_type_annotation
    try:
        fits = check(pytype)
    except TypeError:
        fits = False
    if not fits:
        hint = ""
        if isinstance(pytype, types.GenericAlias):
            hint = "; azure.functions knows typing.List[...], not list[...]"
        raise StartError(
            f"function {function!r}: the annotation {inspect.formatannotation(pytype)} of {binding['name']!r} "
            f"does not fit a binding of type {binding['type']!r}{hint}"
        )


def _return_slot(function: str, bindings: list[dict[str, Any]], annotations: dict[str, Any]) -> Slot | None:
    explicit = next((binding for binding in bindings if binding["name"] == "$return"), None)
    pytype = annotations.get("return")
    if explicit is not None:
        converter = converter_for(explicit["type"])
        if pytype is not None and not isinstance(pytype, type):
            raise StartError(f"function {function!r} has an invalid non-type return annotation {pytype!r}")
        if pytype is not None:
            _check_annotation(function, explicit, converter, pytype)
        return Slot("$return", explicit, converter, pytype)
    implicit = next((binding for binding in bindings if has_implicit_output(binding["type"])), None)
    if implicit is None:
        return None
    return Slot("$return", implicit, converter_for(implicit["type"]), pytype)
