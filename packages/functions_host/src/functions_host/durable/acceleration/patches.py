"""Every name of azure-functions-durable that is replaced, and the code it was replaced for.

Each patch was written for the SDK named in `WRITTEN_FOR`. `code` is the SDK's code that uses the name, `digest` the
digest of its source then: a test compares it with the SDK that is installed, and fails when that changes underneath.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
from typing import Any

WRITTEN_FOR = "1.7.0"

_MODELS = "azure.durable_functions.models."


class Patch:
    """One name in one module of the SDK, or in a class there. Installing twice, or taking out what is not in, does
    nothing.
    """

    def __init__(self, module: str, name: str, code: str, digest: str) -> None:
        self.module = _full(module)
        self.name = name
        self.code = code
        self.digest = digest
        self.original: Any = None

    def install(self, stand_in: Any) -> None:
        owner, name = self._place()
        if self.original is None:
            self.original = getattr(owner, name)
        setattr(owner, name, stand_in)

    def uninstall(self) -> None:
        if self.original is not None:
            setattr(*self._place(), self.original)
            self.original = None

    def _place(self) -> tuple[Any, str]:
        """What has the name, and the name there: the module, or a class in it."""
        *path, name = self.name.split(".")
        owner: Any = importlib.import_module(self.module)
        for part in path:
            owner = getattr(owner, part)
        return owner, name

    def is_known(self) -> bool:
        """Whether `code` is what it was when this was written."""
        try:
            return self.source_digest() == self.digest
        except (ImportError, AttributeError, OSError, TypeError):
            return False

    def source_digest(self) -> str:
        """Of `code` (``module:name.name``, below the SDK's models unless it begins with azure) as it is installed;
        ``module`` alone is all of it.
        """
        module, _, path = self.code.partition(":")
        found: Any = importlib.import_module(_full(module))
        for name in path.split(".") if path else ():
            found = getattr(found, name)
        found = getattr(found, "__func__", found)
        return hashlib.sha256(inspect.getsource(found).encode()).hexdigest()[:16]


def _full(module: str) -> str:
    return module if module.startswith("azure.") else _MODELS + module


# Parses each history event's Timestamp with dateutil: most of what a step costs.
TIMESTAMPS = Patch("history.HistoryEvent", "dt_parse", "history.HistoryEvent:HistoryEvent.__init__", "f564e865e1fc1f20")
# Makes a namedtuple class anew at every step, which compiles code.
NAMEDTUPLE = Patch(
    "TaskOrchestrationExecutor",
    "namedtuple",
    "TaskOrchestrationExecutor:TaskOrchestrationExecutor.set_task_value",
    "50e0da47aa57734c",
)
# The durable client's HTTP.
CLIENT_REQUESTS = tuple(
    Patch("DurableOrchestrationClient", name, f"utils.http_utils:{name}", digest)
    for name, digest in (
        ("post_async_request", "e62f380b9c4ed3ca"),
        ("get_async_request", "8353c23c2c474122"),
        ("delete_async_request", "ce85649616510a26"),
    )
)
# Makes a URL of an entity's id and operation, and a trace's headers, neither of which leaves the process.
SIGNAL_ENTITY = Patch(
    "DurableOrchestrationClient",
    "DurableOrchestrationClient.signal_entity",
    "DurableOrchestrationClient:DurableOrchestrationClient.signal_entity",
    "6e30efcc0cf38d57",
)
# JSON with a hook for objects of the app's own, looked for in every object of every text.
LOADS = Patch("DurableEntityContext", "df_loads", "utils.df_serialization:df_loads", "80deb200792cfdcb")
# An operation's input is JSON text in a JSON string.
JSON = Patch("DurableEntityContext", "json", "DurableEntityContext:DurableEntityContext.get_input", "12aaa6941075a130")
# The same two in what an orchestrator's step reads and writes.
STEP_JSON = Patch(
    "DurableOrchestrationContext",
    "json",
    "DurableOrchestrationContext:DurableOrchestrationContext.from_json",
    "55b59690e765d4fe",
)
STEP_LOADS = tuple(
    Patch(module, "df_loads", f"{module}:{module}.{method}", digest)
    for module, method, digest in (
        ("DurableOrchestrationContext", "get_input", "566bfe834e1dfe93"),
        ("TaskOrchestrationExecutor", "set_task_value", "50e0da47aa57734c"),
    )
)
STEP_DUMPS = tuple(
    Patch(module, "df_dumps", f"{module}:{module.rpartition('.')[2]}.{method}", digest)
    for module, method, digest in (
        ("OrchestratorState", "to_json_string", "0380c2d4a018d95b"),
        ("actions.CallActivityAction", "__init__", "3b2de26ead39cff4"),
        ("actions.CallActivityWithRetryAction", "__init__", "4d3be9de12d9971d"),
    )
)
# Read with a regular expression from two constants at every step.
TIMESPANS = Patch(
    "DurableOrchestrationContext",
    "parse_timespan_attrib",
    "utils.json_utils:parse_timespan_attrib",
    "32c0ee56cd29edea",
)
# The codec as the converter of activities uses it: the environment is asked at every call, twice.
ACTIVITY_CODEC = Patch(
    "azure.functions.durable_functions",
    "_durable_functions",
    "azure.functions.durable_functions:ActivityTriggerConverter",
    "423a13bd7ee03772",
)
# What `df_dumps` does itself.
DUMPS = Patch("", "", "utils.df_serialization:df_dumps", "c16d08d32e738d67")
# An orchestrator's step: its context, the walk through the history, the answer. What is copied is more than the methods
# that are replaced, so most of these name whole modules, whose text also stays what it is when a method is replaced.
CONTEXT = Patch(
    "DurableOrchestrationContext",
    "DurableOrchestrationContext.__init__",
    "DurableOrchestrationContext",
    "c424d4413b8d3216",
)
CALL_ACTIVITY = Patch(
    "DurableOrchestrationContext",
    "DurableOrchestrationContext.call_activity",
    "utils.type_discovery:activity_output_type",
    "46f49dd94d1067a3",
)
EXECUTOR, EXECUTE, RESUME, ANSWER = (
    Patch("TaskOrchestrationExecutor", f"TaskOrchestrationExecutor.{method}", code, digest)
    for method, code, digest in (
        ("__init__", "history.HistoryEventType", "564d82c17466510d"),
        ("execute", "TaskOrchestrationExecutor", "c965b7dc843812f2"),
        ("resume_user_code", "Task", "348231440240c89f"),
        ("get_orchestrator_state_str", "OrchestratorState", "ad01aae84fd1c811"),
    )
)
# They are copies of it all, and stand in for it together or not at all.
STEPS = (
    CONTEXT,
    CALL_ACTIVITY,
    EXECUTOR,
    EXECUTE,
    RESUME,
    ANSWER,
    DUMPS,
    *(
        Patch("", "", code, digest)
        for code, digest in (
            ("history.HistoryEvent", "c0bed14cbed8801e"),
            ("ReplaySchema", "61c304d22c5a77c6"),
            ("FunctionContext", "c6c5ba29e062fbf3"),
            ("actions.Action", "b721f791ff0afabd"),
            ("actions.ActionType", "f021b9d82a53f058"),
            ("actions.CallActivityAction", "5d7e3e92b1a5599b"),
            ("utils.json_utils:add_attrib", "d77be707b5becd76"),
            ("utils.type_discovery:_unwrap_function_builder", "83c7838fafd4006c"),
        )
    ),
)
# What runs an entity's operations: nothing is replaced, `functions_host.worker.entities` does the same.
ENTITY_HANDLER = tuple(
    Patch("", "", code, digest)
    for code, digest in (
        ("azure.durable_functions.entity:Entity.handle", "7c788aeb0250cdb2"),
        ("azure.durable_functions.entity:Entity.create", "a947d5909aa8df63"),
        ("DurableEntityContext:DurableEntityContext.__init__", "a6d4cf7fc3e31d07"),
        ("DurableEntityContext:DurableEntityContext.from_json", "18839422dbf56748"),
        ("entities.EntityState:EntityState.to_json", "973adc4e48fa7aaf"),
        ("entities.EntityState:EntityState.to_json_string", "7420a96f91a8949c"),
        ("entities.OperationResult:OperationResult.to_json", "c9192615c9ed80cf"),
    )
)
ALL = (
    TIMESTAMPS,
    TIMESPANS,
    NAMEDTUPLE,
    *CLIENT_REQUESTS,
    SIGNAL_ENTITY,
    LOADS,
    DUMPS,
    JSON,
    STEP_JSON,
    *STEP_LOADS,
    *STEP_DUMPS,
    ACTIVITY_CODEC,
    *(patch for patch in STEPS if patch is not DUMPS),
    *ENTITY_HANDLER,
)
