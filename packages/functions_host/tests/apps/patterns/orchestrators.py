"""One orchestrator per documented pattern."""

from datetime import timedelta

import azure.durable_functions as df

orchestrators = df.Blueprint()


@orchestrators.orchestration_trigger(context_name="context")
def chaining(context: df.DurableOrchestrationContext):
    first = yield context.call_activity("hello", "Tokyo")
    second = yield context.call_activity("hello", "Seattle")
    third = yield context.call_activity("hello", context.get_input())
    return [first, second, third]


@orchestrators.orchestration_trigger(context_name="context")
def fan_out(context: df.DurableOrchestrationContext):
    numbers = context.get_input()
    squares = yield context.task_all([context.call_activity("square", number) for number in numbers])
    return sum(squares)


@orchestrators.orchestration_trigger(context_name="context")
def monitor(context: df.DurableOrchestrationContext):
    job = context.get_input()
    expires = context.current_utc_datetime + timedelta(minutes=5)
    looks = 0
    while context.current_utc_datetime < expires:
        state = yield context.call_activity("check_job", job)
        looks += 1
        context.set_custom_status({"looks": looks, "state": state})
        if state == "done":
            return looks
        yield context.create_timer(context.current_utc_datetime + timedelta(seconds=1))
    return None


@orchestrators.orchestration_trigger(context_name="context")
def approval(context: df.DurableOrchestrationContext):
    yield context.call_activity("notify", "please approve")
    seconds = context.get_input()
    timer = context.create_timer(context.current_utc_datetime + timedelta(seconds=seconds))
    decision = context.wait_for_external_event("Decision")
    winner = yield context.task_any([timer, decision])
    if winner is timer:
        return "escalated"
    timer.cancel()
    return decision.result


@orchestrators.orchestration_trigger(context_name="context")
def eternal(context: df.DurableOrchestrationContext):
    left = context.get_input()
    if left == 0:
        return "all generations done"
    yield context.create_timer(context.current_utc_datetime + timedelta(milliseconds=100))
    context.continue_as_new(left - 1)


@orchestrators.orchestration_trigger(context_name="context")
def parent(context: df.DurableOrchestrationContext):
    child_ids = [f"{context.instance_id}-{name}" for name in ("a", "b")]
    tasks = [context.call_sub_orchestrator("child", child_id, child_id) for child_id in child_ids]
    results = yield context.task_all(tasks)
    return results


@orchestrators.orchestration_trigger(context_name="context")
def child(context: df.DurableOrchestrationContext):
    greeting = yield context.call_activity("hello", context.get_input())
    return {"greeting": greeting, "parent": context.parent_instance_id}


@orchestrators.orchestration_trigger(context_name="context")
def child_fails(context: df.DurableOrchestrationContext):
    try:
        yield context.call_sub_orchestrator("fails", "inner")
    except Exception as error:
        return f"caught: {error}"


@orchestrators.orchestration_trigger(context_name="context")
def fails(context: df.DurableOrchestrationContext):
    yield context.call_activity("hello", "x")
    raise ValueError(f"broken {context.get_input()}")


@orchestrators.orchestration_trigger(context_name="context")
def retries(context: df.DurableOrchestrationContext):
    options = df.RetryOptions(first_retry_interval_in_milliseconds=100, max_number_of_attempts=3)
    result = yield context.call_activity_with_retry("fails_at_first", options, context.get_input())
    return result


@orchestrators.orchestration_trigger(context_name="context")
def counts(context: df.DurableOrchestrationContext):
    entity = df.EntityId("counter", context.get_input())
    context.signal_entity(entity, "add", 5)
    yield context.call_entity(entity, "add", 2)
    value = yield context.call_entity(entity, "get")
    return value


@orchestrators.orchestration_trigger(context_name="context")
def entity_fails(context: df.DurableOrchestrationContext):
    entity = df.EntityId("counter", context.get_input())
    try:
        yield context.call_entity(entity, "fail")
    except Exception as error:
        return f"caught: {error}"


@orchestrators.orchestration_trigger(context_name="context")
def which_version(context: df.DurableOrchestrationContext):
    yield context.call_activity("hello", "x")
    return context.version


@orchestrators.orchestration_trigger(context_name="context")
def deterministic(context: df.DurableOrchestrationContext):
    """Values that must be the same in every replay."""
    before = [str(context.new_guid()), context.new_uuid(), context.current_utc_datetime.isoformat()]
    yield context.call_activity("hello", "x")
    yield context.call_activity("hello", "y")
    return before


@orchestrators.orchestration_trigger(context_name="context")
def calls_http(context: df.DurableOrchestrationContext):
    answer = yield context.call_http("GET", context.get_input())
    return {"status": answer["statusCode"], "content": answer["content"]}
