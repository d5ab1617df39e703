"""Texts of failures, as the real host words them: apps match on them."""

from __future__ import annotations

from functions_host.durable.jsontext import compact
from functions_host.durable.runner import UserFunctionError

_STATE_MARK = "$OutOfProcData$:"


def split_orchestrator_error(error: UserFunctionError) -> tuple[str, str | None]:
    """(what went wrong, the state's JSON text or None) of an orchestrator that raised.

    The SDK raises on purpose when the orchestration failed, with its state behind a mark in the message.
    """
    message, mark, state = error.message.partition(_STATE_MARK)
    if mark:
        return message.rstrip("\n"), state
    return f"Result: Failure\nException: {error.type_name}: {error.message}\nStack: {error.stack}", None


def activity_reason(name: str, error: UserFunctionError) -> str:
    """Two blanks before the type: the real host cuts the worker's message after ``Exception:``."""
    return f"Activity function '{name}' failed:  {error.type_name}: {error.message}"


def activity_details(error: UserFunctionError) -> str:
    """The serialised .NET exception; the C# stack of the host, which is not here, is null."""
    text = f"{error.type_name}: {error.message}"
    return compact(
        {
            "$type": "System.Exception, System.Private.CoreLib",
            "ClassName": "System.Exception",
            "Message": f" {text}",
            "Data": None,
            "InnerException": {
                "$type": "Microsoft.Azure.WebJobs.Script.Workers.Rpc.RpcException, Microsoft.Azure.WebJobs.Script",
                "IsUserException": False,
                "RemoteStackTrace": error.stack,
                "RemoteMessage": text,
                "RemoteTypeName": None,
                "Message": f"Result: Failure\nException: {text}\nStack: {error.stack}",
                "Data": {"$type": "System.Collections.ListDictionaryInternal, System.Private.CoreLib"},
                "InnerException": None,
                "HelpLink": None,
                "Source": None,
                "HResult": -2146233088,
                "StackTrace": None,
            },
            "HelpURL": None,
            "StackTraceString": None,
            "RemoteStackTraceString": None,
            "RemoteStackIndex": 0,
            "ExceptionMethod": None,
            "HResult": -2146233088,
            "Source": None,
            "WatsonBuckets": None,
        }
    )


def orchestrator_output(name: str, error: str) -> str:
    return f"Orchestrator function '{name}' failed: {error}"


def sub_details(error: str) -> str:
    return f"Message: {error}, StackTrace: "


def unknown_function(kind: str, name: str, known: list[str]) -> str:
    """`kind`: orchestrator, activity or entity."""
    listed = ", ".join(f"'{other}'" for other in known)
    article = "a" if kind[0] not in "aeiou" else "an"
    return (
        f"The function '{name}' doesn't exist, is disabled, or is not {article} {kind} function. Additional info: "
        f"The following are the known {kind} functions: {listed}."
    )


def version_mismatch(name: str, version: str | None, worker: str | None, strategy: str) -> str:
    return (
        f"The orchestration version '{version or ''}' of '{name}' does not match this host's version '{worker or ''}' "
        f"(versionMatchStrategy {strategy})."
    )


def non_determinism(text: str) -> str:
    return (
        f"Non-Deterministic workflow detected: {text}. "
        "Was a change made to the orchestrator code after this instance had already started running?"
    )
