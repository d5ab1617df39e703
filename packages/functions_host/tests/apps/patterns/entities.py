import azure.durable_functions as df

entities = df.Blueprint()


@entities.entity_trigger(context_name="context", entity_name="counter")
def counter(context: df.DurableEntityContext) -> None:
    state = context.get_state(lambda: 0)
    match context.operation_name:
        case "add":
            state += context.get_input()
            context.set_state(state)
        case "reset":
            state = 0
            context.set_state(state)
        case "delete":
            context.destruct_on_exit()
            return
        case "fail":
            raise ValueError("as asked")
    context.set_result(state)
