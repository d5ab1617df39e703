"""What follows from an orchestrator's answer: new work, an end, a successor. Nothing here waits, writes or logs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from functions_host.durable import failures
from functions_host.durable.actions import State
from functions_host.durable.facts import Fact
from functions_host.durable.instance_ids import wrong_for_child
from functions_host.durable.jsontext import compact
from functions_host.durable.orchestration import COMPLETED, FAILED, TERMINATED, Orchestration
from functions_host.durable.replay import NonDeterminismError, Replay
from functions_host.durable.scheduled import CreateSub, ScheduledAction

_CUSTOM_STATUS_KILOBYTES = 16


class Finding(NamedTuple):
    """Something an operator should read; once per instance and `key`, each time without a key."""

    key: str | None
    text: str


@dataclass(slots=True)
class Outcome:
    """What an episode leads to. `status` None: the instance goes on, with `scheduled` as new work.

    `result` is JSON text; `reason` the text of a failure, `error` the part of it that a calling orchestration is told.
    `carried`: positions of facts, events that the successor is given.
    """

    status: str | None = None
    result: str | None = None
    reason: str = ""
    error: str = ""
    custom_status: str | None = None
    scheduled: Sequence[ScheduledAction] = ()
    continues: bool = False
    continue_input: str | None = None
    carried: Sequence[int] = ()
    suspended: bool = False
    findings: list[Finding] = field(default_factory=list)

    def fail(self, text: str, error: str) -> Outcome:
        self.status = FAILED
        self.reason = text
        self.error = error
        self.result = compact(text)
        return self

    def fail_for_actions(self, instance: Orchestration, error: Exception) -> Outcome:
        """The answer lists what no SDK would; without an end it would be asked for again and again."""
        self.scheduled = ()
        self.continues = False
        text = f"its actions are not understood: {type(error).__name__}: {error}"
        self.findings.append(Finding(None, text))
        return self.fail(failures.orchestrator_output(instance.name, text), text)

    def terminate(self, reason: str | None) -> Outcome:
        """Its function ran once more, as on the real one, but what it answered counts no longer."""
        self.status = TERMINATED
        self.result = None if reason is None else compact(reason)
        return self


def failed(instance: Orchestration, error: str) -> Outcome:
    """The function could not be run, or broke without a state."""
    return Outcome().fail(failures.orchestrator_output(instance.name, error), error)


def decide(
    instance: Orchestration,
    state: State,
    replay: Replay,
    facts: Sequence[Fact],
    ancestors: Collection[str],
    more_waits: bool,
) -> Outcome:
    """`facts`: those that `replay` has not seen, up to this episode's; `ancestors`: ids of the instance and of those
    that wait for it; `more_waits`: something else has arrived meanwhile.
    """
    outcome = Outcome()
    if state.custom_status is not None:
        outcome.custom_status = compact(state.custom_status)
        if too_large := _too_large(outcome.custom_status):
            outcome.custom_status = None
            return outcome.fail(failures.orchestrator_output(instance.name, too_large), too_large)
    try:
        replay.run(state.actions, facts)
    except NonDeterminismError as error:
        text = failures.non_determinism(str(error))
        outcome.findings.append(Finding(None, text))
        return outcome.fail(text, text)
    except Exception as error:
        return outcome.fail_for_actions(instance, error)
    outcome.findings += [_unknown(replay, *unknown) for unknown in replay.unknown]
    outcome.suspended = replay.suspended
    if replay.suspended:
        return outcome
    outcome.scheduled = replay.scheduled
    if wrong := _wrong_child(outcome.scheduled, ancestors):
        outcome.findings.append(Finding(None, wrong))
        outcome.scheduled = ()
        return outcome.fail(failures.orchestrator_output(instance.name, wrong), wrong)
    over = state.is_done or state.error is not None
    if not over or not replay.satisfied or replay.open:
        if not (replay.open or replay.unknown or more_waits):
            outcome.findings += _stuck(state, replay)
        return outcome
    if state.error is not None:
        return outcome.fail(failures.orchestrator_output(instance.name, state.error), state.error)
    if replay.continue_input is not None:
        outcome.continues = True
        value = replay.continue_input[0]
        outcome.continue_input = None if value is None else compact(value)
        outcome.carried = replay.carried
        outcome.findings += _dropped(replay)
        return outcome
    outcome.status = COMPLETED
    outcome.result = None if state.output is None else compact(state.output)
    return outcome


def _too_large(custom_status: str) -> str | None:
    """The extension's limit, counted as it counts: kilobytes of UTF-16, cut."""
    kilobytes = len(custom_status.encode("utf-16-le", "surrogatepass")) // 1024
    if kilobytes <= _CUSTOM_STATUS_KILOBYTES:
        return None
    return (
        f"The UTF-16 size of the JSON-serialized payload must not exceed {_CUSTOM_STATUS_KILOBYTES} KB. "
        f"The current payload size is {kilobytes:,} KB."
    )


def _wrong_child(scheduled: Sequence[ScheduledAction], ancestors: Collection[str]) -> str | None:
    for action in scheduled:
        if isinstance(action, CreateSub) and (wrong := wrong_for_child(action.instance_id, ancestors)):
            return wrong
    return None


def _unknown(replay: Replay, kind: str, name: str) -> Finding:
    return Finding(
        f"{kind} {name}",
        f"{replay.current_action()} calls the {kind} '{name}', which is not registered; "
        "as on Azure the orchestration waits for it indefinitely",
    )


def _stuck(state: State, replay: Replay) -> list[Finding]:
    if (state.is_done or state.error is not None) and not replay.satisfied:
        waits = ", ".join(f"'{name}'" for name in replay.waits())
        if waits:
            text = (
                f"its function has returned, but {replay.current_action()} still waits on the host's side for the "
                f"event {waits}: as on Azure it stays Running until that is raised (an event satisfied two waits in "
                "the SDK, or a name differs in case)"
            )
            return [Finding("waits " + waits, text)]
    elif not state.is_done and state.error is None and replay.satisfied and state.actions and not replay.waits():
        # An event that a when-any has left waiting may well be what the function waits for once more.
        text = (
            f"{replay.current_action()} is satisfied on the host's side, but its function still waits and nothing is "
            "open: it waits indefinitely unless an event comes (an event name that differs in case, for example)"
        )
        return [Finding("nothing open", text)]
    return []


def _dropped(replay: Replay) -> list[Finding]:
    dropped = [name for names in replay.buffered.values() for name in names]
    if not dropped:
        return []
    names = ", ".join(f"'{name}'" for name in dropped)
    text = (
        f"continue_as_new drops {len(dropped)} event(s) that had arrived and were not waited for: {names}; "
        "Azure drops them too"
    )
    # Once an instance: one that lives by it, an eternal loop that is woken too often, would say so all the time.
    return [Finding(f"dropped {' '.join(sorted(set(dropped)))}", text)]
