import azure.durable_functions as df

activities = df.Blueprint()
_calls: dict[str, int] = {}


@activities.activity_trigger(input_name="name")
def hello(name: str) -> str:
    return f"Hello {name}!"


@activities.activity_trigger(input_name="number")
async def square(number: int) -> int:
    return number * number


@activities.activity_trigger(input_name="job")
def check_job(job: dict) -> str:
    """A job that is done at its third look."""
    _calls[job["id"]] = _calls.get(job["id"], 0) + 1
    return "done" if _calls[job["id"]] >= job["looks"] else "running"


@activities.activity_trigger(input_name="job")
def fails_at_first(job: dict) -> str:
    _calls[job["id"]] = _calls.get(job["id"], 0) + 1
    if _calls[job["id"]] < job["succeeds_at"]:
        raise ValueError(f"attempt {_calls[job['id']]}")
    return f"attempt {_calls[job['id']]} succeeded"


@activities.activity_trigger(input_name="what")
def notify(what: str) -> str:
    return f"notified: {what}"
