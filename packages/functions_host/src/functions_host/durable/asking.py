"""Running an orchestrator's function."""

from __future__ import annotations

import logging
import traceback

from functions_host.durable import failures
from functions_host.durable.actions import State, parse_state
from functions_host.durable.core import Core
from functions_host.durable.deaths import item_key
from functions_host.durable.orchestration import Orchestration
from functions_host.durable.runner import UserFunctionError, WorkItemLostError
from functions_host.durable.versions import accepts

logger = logging.getLogger(__name__)


class NoAnswerError(Exception):
    """The function could not be run, or broke without a state; the text is what went wrong."""


async def ask(core: Core, instance: Orchestration, context: str) -> State:
    """The function's answer. Raises NoAnswerError, and WorkItemLostError if the episode is to be run again."""
    options = core.options
    function = core.orchestrators.find(instance.name)
    if function is None:
        raise NoAnswerError(failures.unknown_function("orchestrator", instance.name, core.orchestrators.all()))
    if not accepts(options.version_match, instance.version, options.default_version):
        raise NoAnswerError(
            failures.version_mismatch(instance.name, instance.version, options.default_version, options.version_match)
        )
    item = item_key(f"o {instance.execution_id} {instance.episodes} {instance.instance_id}")
    try:
        answer = await core.deaths.run(
            item, lambda: core.runner.run_orchestrator(function, context, instance.instance_id)
        )
    except UserFunctionError as error:
        message, state_text = failures.split_orchestrator_error(error)
        if state_text is None:
            raise NoAnswerError(message) from error
        answer = state_text
    except WorkItemLostError:
        raise
    except BaseException as error:
        if core.stopping:
            raise
        logger.exception("orchestration '%s' broke off in the host", instance.instance_id)
        raise NoAnswerError(f"{type(error).__name__}: {error}\n{traceback.format_exc()}") from error
    try:
        return parse_state(answer)
    except ValueError as error:
        raise NoAnswerError(str(error)) from error
