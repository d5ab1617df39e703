"""Which functions are run: disabled and unsupported ones are left out, by name."""

from __future__ import annotations

from typing import Any

import azure.functions as func
import pytest
from functions_host.errors import StartError
from functions_host.functions import index
from functions_host.selection import LeftOut, Rules, select, unknown_names


def functions() -> list[Any]:
    app = func.FunctionApp()

    @app.queue_trigger(arg_name="message", queue_name="q", connection="C")
    def on_order(message: func.QueueMessage) -> None: ...

    @app.route(route="a")
    @app.blob_input(arg_name="blob", path="a/b", connection="C")
    def reads_blob(req: func.HttpRequest, blob: str) -> None: ...

    @app.timer_trigger(arg_name="tick", schedule="0 * * * * *")
    @app.generic_output_binding(arg_name="mail", type="sendGrid")
    def sends_mail(tick: func.TimerRequest, mail: func.Out[str]) -> None: ...

    @app.route(route="b")
    def Plain(req: func.HttpRequest) -> str: ...

    return list(app.get_functions())


def parted(rules: Rules, **environ: str) -> tuple[list[str], dict[str, LeftOut]]:
    kept, left_out = select(functions(), rules, environ=environ)
    return [function.name for function in index(kept)], {function.name: function for function in left_out}


def test_everything_unsupported_is_named_at_once_with_both_ways_out() -> None:
    with pytest.raises(StartError) as caught:
        parted(Rules())
    text = str(caught.value)
    assert "'on_order': trigger 'queueTrigger' (parameter 'message')" in text
    assert "'reads_blob': input binding 'blob' (parameter 'blob')" in text
    assert "'sends_mail': output binding 'sendGrid' (parameter 'mail')" in text
    assert "--skip-unsupported" in text
    assert "AzureWebJobs.<function>.Disabled=true" in text


def test_unsupported_functions_can_be_skipped() -> None:
    kept, left_out = parted(Rules(skip_unsupported=True))
    assert kept == ["Plain"]
    assert left_out["on_order"].kind == "queueTrigger"
    assert "does not support its trigger 'queueTrigger'" in left_out["on_order"].reason


@pytest.mark.parametrize(
    "settings",
    [
        {"AzureWebJobs.on_order.Disabled": "true", "AzureWebJobs__Reads_Blob__Disabled": "1"},
        {"AZUREWEBJOBS.ON_ORDER.DISABLED": " True ", "azurewebjobs:reads_blob:disabled": "TRUE"},
    ],
)
def test_a_setting_disables_a_function_whatever_it_is(settings: dict[str, str]) -> None:
    settings |= {"AzureWebJobs.sends_mail.Disabled": "true", "AzureWebJobs.Plain.Disabled": "false"}
    kept, left_out = parted(Rules(), **settings)
    assert kept == ["Plain"]
    assert set(left_out) == {"on_order", "reads_blob", "sends_mail"}
    assert next(iter(settings)) in left_out["on_order"].reason


def test_host_json_names_the_functions_to_run() -> None:
    kept, left_out = parted(Rules(only=("plain",)))
    assert kept == ["Plain"]
    assert "host.json functions" in left_out["on_order"].reason


def test_a_setting_that_is_neither_true_nor_false_is_named() -> None:
    with pytest.raises(StartError, match=r"AzureWebJobs\.Plain\.Disabled must be true or false, not 'maybe'"):
        parted(Rules(skip_unsupported=True), **{"AzureWebJobs.Plain.Disabled": "maybe"})


def test_names_that_are_no_functions_are_found() -> None:
    environ = {
        "AzureWebJobs.typo.Disabled": "true",
        "AzureWebJobs.PLAIN.Disabled": "1",
        "AzureWebJobs.no.Disabled": "0",
    }
    assert unknown_names(["Plain", "other"], ("OTHER", "wrong"), environ) == [
        "host.json functions names 'wrong'",
        "the setting AzureWebJobs.typo.Disabled names 'typo'",
    ]
    assert unknown_names(["Plain"], None, {}) == []
