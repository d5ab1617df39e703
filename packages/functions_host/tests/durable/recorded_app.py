"""The app that was driven on the real extension, kept as it was but for its clocks: a second takes SECOND here.

Its style is the recordings': names, order and bodies must not change, or contexts no longer compare.
"""
# ruff: noqa
# mypy: ignore-errors

import datetime
import json
import time

import azure.durable_functions as df
import azure.functions as func

SECOND = 0.1


def build() -> df.DFApp:
    """A new app each time: its attempt counters start at zero."""
    app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)

    @app.activity_trigger(input_name="x")
    def echo(x):
        return x

    @app.activity_trigger(input_name="x")
    def boom(x: dict) -> str:
        raise ValueError(f"boom {x}")

    _attempts = {}

    @app.activity_trigger(input_name="x")
    def flaky(x: str) -> str:
        _attempts[x] = _attempts.get(x, 0) + 1
        if _attempts[x] < 3:
            raise RuntimeError(f"attempt {_attempts[x]}")
        return f"ok after {_attempts[x]}"

    @app.orchestration_trigger(context_name="context")
    def chain(context: df.DurableOrchestrationContext):
        a = yield context.call_activity("echo", {"v": 1})
        context.set_custom_status({"step": 1})
        b = yield context.call_activity("echo", [a, context.get_input()])
        return {"b": b, "guid": str(context.new_guid()), "now": context.current_utc_datetime.isoformat()}

    @app.orchestration_trigger(context_name="context")
    def fanout(context: df.DurableOrchestrationContext):
        r = yield context.task_all([context.call_activity("echo", i) for i in range(5)])
        context.signal_entity(df.EntityId("counter", "fan"), "add", 5)
        v = yield context.call_entity(df.EntityId("counter", "fan"), "get")
        return {"r": r, "v": v}

    @app.orchestration_trigger(context_name="context")
    def retry(context: df.DurableOrchestrationContext):
        ro = df.RetryOptions(50, 4)
        ts = [context.call_activity_with_retry("flaky", ro, f"{context.instance_id}-{i}") for i in range(2)]
        r = yield context.task_all(ts)
        try:
            yield context.call_activity_with_retry("boom", df.RetryOptions(50, 2), {"q": 1})
        except Exception as e:
            return {"r": r, "err": str(e)}

    @app.orchestration_trigger(context_name="context")
    def fails(context: df.DurableOrchestrationContext):
        yield context.call_activity("boom", {"q": 2})

    @app.orchestration_trigger(context_name="context")
    def events(context: df.DurableOrchestrationContext):
        ev = context.wait_for_external_event("go")
        tm = context.create_timer(context.current_utc_datetime + datetime.timedelta(seconds=30 * SECOND))
        w = yield context.task_any([ev, tm])
        if w == ev:
            tm.cancel()
            return ev.result
        return "timeout"

    @app.orchestration_trigger(context_name="context")
    def timer(context: df.DurableOrchestrationContext):
        yield context.create_timer(context.current_utc_datetime + datetime.timedelta(seconds=2 * SECOND))
        return "fired"

    @app.orchestration_trigger(context_name="context")
    def parent(context: df.DurableOrchestrationContext):
        a = yield context.call_sub_orchestrator("chain", {"from": "parent"})
        b = yield context.task_all(
            [context.call_sub_orchestrator("timer", None, f"{context.instance_id}:t{i}") for i in range(2)]
        )
        return [a, b]

    @app.orchestration_trigger(context_name="context")
    def eternal(context: df.DurableOrchestrationContext):
        n = context.get_input() or 0
        yield context.call_activity("echo", n)
        if n < 3:
            context.continue_as_new(n + 1)
            return
        return n

    @app.entity_trigger(context_name="context")
    def counter(context: df.DurableEntityContext):
        v = context.get_state(lambda: 0)
        if context.operation_name == "add":
            v += context.get_input()
            context.set_state(v)
        elif context.operation_name == "fail":
            context.set_state(999)
            raise ValueError("entity failed")
        elif context.operation_name == "delete":
            context.destruct_on_exit()
        context.set_result(v)

    @app.activity_trigger(input_name="x")
    def slow(x):
        time.sleep(float(x) * SECOND)
        return {"slept": x}

    @app.activity_trigger(input_name="x")
    def typed(x):
        return {"seen": repr(x), "type": type(x).__name__}

    @app.orchestration_trigger(context_name="context")
    def uuidfail(context):
        yield context.call_activity("echo", 1)
        return {"guid": context.new_guid()}

    @app.orchestration_trigger(context_name="context")
    def inputs(context):
        vals = [
            "hello",
            "123",
            "null",
            None,
            5,
            1.5,
            True,
            [],
            {},
            "2024-01-02T03:04:05Z",
            "2024-01-02T03:04:05.1230000+02:00",
            "\u00e9\u4e2d\U0001f600",
            '{"a":1}',
            [1, None, {"k": "2024-01-02T03:04:05.120Z"}],
            12345678901234567890,
            1e400 if False else 1e300,
            "",
        ]
        out = []
        for v in vals:
            t = yield context.call_activity("typed", v)
            e = yield context.call_activity("echo", v)
            out.append([v, t, e])
        return {"out": out}

    @app.orchestration_trigger(context_name="context")
    def echoinput(context):
        if False:
            yield
        return {"input": context.get_input(), "type": type(context.get_input()).__name__}

    @app.orchestration_trigger(context_name="context")
    def subfail(context):
        r = []
        try:
            yield context.call_sub_orchestrator("fails")
        except Exception as e:
            r.append(str(e))
        try:
            yield context.call_sub_orchestrator_with_retry(
                "fails", df.RetryOptions(50, 2), {"z": 1}, f"{context.instance_id}-sub"
            )
        except Exception as e:
            r.append(str(e))
        return r

    @app.orchestration_trigger(context_name="context")
    def entityops(context):
        eid = df.EntityId("counter", context.get_input() or "eops")
        r = []
        r.append((yield context.call_entity(eid, "add", 3)))
        try:
            r.append((yield context.call_entity(eid, "fail", "x")))
        except Exception as e:
            r.append("ERR " + str(e))
        r.append((yield context.call_entity(eid, "get")))
        context.signal_entity(eid, "add", 10)
        r.append((yield context.call_entity(eid, "get")))
        r.append((yield context.call_entity(eid, "delete")))
        r.append((yield context.call_entity(eid, "get")))
        return r

    @app.orchestration_trigger(context_name="context")
    def events2(context):
        yield context.call_activity("slow", 2)
        a = yield context.wait_for_external_event("A")
        b = yield context.wait_for_external_event("A")
        cd = yield context.task_all([context.wait_for_external_event("C"), context.wait_for_external_event("D")])
        return [a, b, cd]

    @app.orchestration_trigger(context_name="context")
    def anytasks(context):
        w = yield context.task_any([context.call_activity("slow", 2), context.call_activity("echo", "fast")])
        context.set_custom_status("won")
        return w.result

    @app.orchestration_trigger(context_name="context")
    def timeoutany(context):
        act = context.call_activity("slow", 3)
        tm = context.create_timer(context.current_utc_datetime + datetime.timedelta(seconds=1 * SECOND))
        w = yield context.task_any([act, tm])
        if w == tm:
            r = yield act
            return ["timer first", r]
        return "activity"

    @app.orchestration_trigger(context_name="context")
    def longtimer(context):
        yield context.create_timer(context.current_utc_datetime + datetime.timedelta(days=7))
        return "fired"

    @app.orchestration_trigger(context_name="context")
    def httpcall(context):
        r = yield context.call_http("GET", "http://127.0.0.1:7099/hello")
        r2 = yield context.call_http("POST", "http://127.0.0.1:7099/accepted", json.dumps({"a": 1}), {"x-test": "1"})
        return [r, r2]

    @app.orchestration_trigger(context_name="context")
    def canevents(context):
        st = context.get_input() or {"n": 0, "got": []}
        v = yield context.wait_for_external_event("tick")
        st["n"] += 1
        st["got"].append(v)
        yield context.call_activity("slow", 1)
        if st["n"] < 3:
            context.continue_as_new(st)
            return
        return st

    @app.orchestration_trigger(context_name="context")
    def unknowns(context):
        r = []
        try:
            yield context.call_activity("nosuchactivity", 1)
        except Exception as e:
            r.append(str(e))
        try:
            yield context.call_sub_orchestrator("nosuchorch", 1)
        except Exception as e:
            r.append(str(e))
        return r

    @app.orchestration_trigger(context_name="context")
    def earlyfail(context):
        if False:
            yield
        raise KeyError("early")

    @app.orchestration_trigger(context_name="context")
    def longrun(context):
        context.set_custom_status({"waiting": True})
        v = yield context.wait_for_external_event("go")
        return v

    @app.orchestration_trigger(context_name="context")
    def flakyfail(context):
        a = yield context.call_activity("echo", "before")
        b = yield context.call_activity("flaky", context.instance_id)
        return [a, b]

    @app.orchestration_trigger(context_name="context")
    def locks(context):
        e1 = yield context.call_entity(df.EntityId("Counter", "Key-A_1"), "add", 1)
        return e1

    @app.orchestration_trigger(context_name="context")
    def fanout_mixed(context):
        ts = [context.call_activity("echo", 1), context.call_activity("boom", 2), context.call_activity("slow", 1)]
        try:
            yield context.task_all(ts)
        except Exception as e:
            return {"err": str(e)}

    @app.activity_trigger(input_name="x")
    def badret(x):
        return {1, 2} if x == "set" else (None if x == "none" else "é" * int(x))

    @app.orchestration_trigger(context_name="context")
    def bigpayload(context):
        a = yield context.call_activity("badret", 100000)
        b = yield context.call_activity("echo", a)
        return {"len": len(b), "b": b}

    @app.orchestration_trigger(context_name="context")
    def cancustom(context):
        n = context.get_input() or 0
        context.set_custom_status(f"gen {n}")
        yield context.call_activity("echo", n)
        if n < 1:
            context.create_timer(context.current_utc_datetime + datetime.timedelta(seconds=5 * SECOND))
            context.call_activity("slow", 2)
            context.continue_as_new(n + 1)
            return
        context.set_custom_status(None)
        return n

    @app.orchestration_trigger(context_name="context")
    def parentity(context):
        E = df.EntityId
        r = yield context.task_all(
            [
                context.call_entity(E("counter", "pe1"), "add", 1),
                context.call_entity(E("counter", "pe1"), "add", 2),
                context.call_entity(E("counter", "pe2"), "add", 3),
            ]
        )
        context.signal_entity(E("counter", "pe1"), "add", 100)
        context.signal_entity(E("counter", "pe1"), "add", 200)
        return r

    @app.orchestration_trigger(context_name="context")
    def subsame(context):
        r = yield context.task_all(
            [
                context.call_sub_orchestrator("timer", None, context.instance_id + "-same"),
                context.call_sub_orchestrator("timer", None, context.instance_id + "-same"),
            ]
        )
        return r

    @app.orchestration_trigger(context_name="context")
    def waitorder(context):
        a = context.wait_for_external_event("E")
        b = context.wait_for_external_event("E")
        r = yield context.task_all([a, b])
        c = context.wait_for_external_event("F")
        d = context.wait_for_external_event("F")
        w = yield context.task_any([c, d])
        return [r, "c" if w == c else "d", w.result]

    @app.orchestration_trigger(context_name="context")
    def badresult(context):
        n = yield context.call_activity("badret", "none")
        try:
            yield context.call_activity("badret", "set")
        except Exception as e:
            return [n, str(e)[:200]]

    @app.orchestration_trigger(context_name="context")
    def nested(context):
        t1 = context.create_timer(context.current_utc_datetime + datetime.timedelta(seconds=20 * SECOND))
        t2 = context.create_timer(context.current_utc_datetime + datetime.timedelta(seconds=3 * SECOND))
        al = context.task_all([context.call_activity("echo", i) for i in range(2)])
        w = yield context.task_any([t1, al, t2])
        t1.cancel()
        return ["all" if w == al else "timer", w.result if w == al else None]

    @app.orchestration_trigger(context_name="context")
    def leaktimer(context):
        t1 = context.create_timer(context.current_utc_datetime + datetime.timedelta(seconds=6 * SECOND))
        a = context.call_activity("echo", 1)
        w = yield context.task_any([t1, a])
        return "done, timer not cancelled"

    @app.orchestration_trigger(context_name="context")
    def unawaited(context):
        context.call_activity("echo", "never yielded")
        a = yield context.call_activity("echo", "yielded")
        context.call_activity("echo", "after last yield")
        return a

    @app.orchestration_trigger(context_name="context")
    def retrysub(context):
        try:
            yield context.call_sub_orchestrator_with_retry("fails", df.RetryOptions(50, 3))
        except Exception as e:
            return str(e)[:80]

    @app.orchestration_trigger(context_name="context")
    def unknown_activity(context):
        try:
            yield context.call_activity("nosuchactivity", 1)
        except Exception as e:
            return str(e)

    @app.orchestration_trigger(context_name="context")
    def unknown_sub(context):
        try:
            yield context.call_sub_orchestrator("nosuchorch", 1)
        except Exception as e:
            return str(e)

    @app.orchestration_trigger(context_name="context")
    def unknown_entity(context):
        try:
            yield context.call_entity(df.EntityId("nosuchent", "k"), "x", 1)
        except Exception as e:
            return str(e)

    @app.orchestration_trigger(context_name="context")
    def seqstatus(context):
        for s in ["a", {"b": 1}, 0, False, [], "", None]:
            context.set_custom_status(s)
            yield context.create_timer(context.current_utc_datetime + datetime.timedelta(seconds=1 * SECOND))
        return context.is_replaying

    @app.orchestration_trigger(context_name="context")
    def retnone(context):
        yield context.call_activity("echo", 1)

    @app.orchestration_trigger(context_name="context")
    def catchthenfail(context):
        try:
            yield context.call_activity("boom", 1)
        except Exception:
            pass
        yield context.call_activity("echo", "x")
        raise ValueError('user error\nwith two lines "quoted"')

    return app
