"""Running an orchestrator's function and working out what its answer leads to."""

from __future__ import annotations

import logging
import traceback

from functions_host.durable import failures
from functions_host.durable.actions import State
from functions_host.durable.core import Core
from functions_host.durable.deaths import item_key
from functions_host.durable.facts import Fact
from functions_host.durable.instances import Orchestration
from functions_host.durable.runner import UserFunctionError, WorkItemLostError
from functions_host.durable.step import Arrivals, Outcome, decide, failed_before_answer, parse_answer
from functions_host.durable.versions import accepts

logger = logging.getLogger(__name__)


async def ask(core: Core, instance: Orchestration, context: str, facts: list[Fact], arrivals: Arrivals) -> Outcome:
    """Raises WorkItemLostError if the step is to be run again."""
    options = core.options
    function = core.orchestrators.find(instance.name)
    if function is None:
        text = failures.unknown_function("orchestrator", instance.name, core.orchestrators.all())
        return failed_before_answer(instance, text)
    if not accepts(options.version_match, instance.version, options.default_version):
        text = failures.version_mismatch(
            instance.name, instance.version, options.default_version, options.version_match
        )
        return failed_before_answer(instance, text)
    try:
        item = item_key("o", instance.instance_id, instance.execution_id, instance.episodes)
        answer = await core.deaths.run(
            item, lambda: core.runner.run_orchestrator(function, context, instance.instance_id)
        )
    except UserFunctionError as error:
        message, state_text = failures.split_orchestrator_error(error)
        if state_text is None:
            return failed_before_answer(instance, message)
        answer = state_text
    except WorkItemLostError:
        raise
    except Exception as error:
        logger.exception("orchestration '%s' broke off in the host", instance.instance_id)
        return failed_before_answer(instance, f"{type(error).__name__}: {error}\n{traceback.format_exc()}")
    try:
        state: State = parse_answer(answer)
    except ValueError as error:
        return failed_before_answer(instance, str(error))
    return decide(instance, state, facts, arrivals, core.registry)
