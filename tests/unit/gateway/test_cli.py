from __future__ import annotations

import builtins
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gateway.__main__ import _parser, main
from gateway.arguments import with_western_offsets
from gateway.needs import NotInstalled

CONNECTION = "Endpoint=sb://localhost:1;SharedAccessKeyName=k;SharedAccessKey=v;UseDevelopmentEmulator=true"


def test_defaults() -> None:
    options = _parser().parse_args(["mavlink", "udpin:0.0.0.0:14550"])
    assert (options.interval, options.speed, options.request_rates) == (1.0, 1.0, None)
    assert (options.spool, options.spool_limit) == (Path(".data/gateway"), 10**9)
    assert _parser().parse_args(["mavlink", "x", "--request-rates"]).request_rates == 2.0
    assert _parser().parse_args(["file", "x.gpx"]).speed is None


def test_what_is_named() -> None:
    options = _parser().parse_args(
        ["mavlink", "x", "--device-id", "1=falcon-1", "--device-id", "10.0.0.7/02=b", "--spool-limit", "1M"]
    )
    assert dict(options.device_id) == {"1": "falcon-1", "10.0.0.7/2": "b"}
    assert options.spool_limit == 10**6
    assert _parser().parse_args(with_western_offsets(["file", "x", "--utc-offset", "-07:30"])).utc_offset == -450
    assert _parser().parse_args(with_western_offsets(["file", "x", "--utc-offset", "+0200"])).utc_offset == 120
    assert _parser().parse_args(["dji", "--broker", "b", "--spool-limit", "2Gi"]).spool_limit == 2**31


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["mavlink"],
        ["mavlink", "x", "--device-id", "falcon"],
        ["mavlink", "x", "--device-id", "256=a"],
        ["mavlink", "x", "--device-id", "1=a b"],
        ["mavlink", "x", "--interval", "0"],
        ["mavlink", "x", "--speed", "-1"],
        ["file", "x", "--utc-offset", "2"],
        ["dji"],
        ["file", "x", "--spool-limit", "much"],
    ],
)
def test_wrong_arguments_end_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_without_a_hub_it_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("EventHubConnection", raising=False)
    with pytest.raises(SystemExit):
        main(["mavlink", "udpin:127.0.0.1:0"])
    assert "give --connection" in capsys.readouterr().err


def test_a_missing_package_is_named_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    real = builtins.__import__

    def without(name: str, *more: Any) -> Any:
        if name.startswith("pymavlink"):
            raise ModuleNotFoundError("No module named 'pymavlink'", name="pymavlink")
        return real(name, *more)

    for module in [name for name in sys.modules if name.startswith(("gateway.mavlink", "pymavlink"))]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setattr(builtins, "__import__", without)
    assert main(["mavlink", "udpin:127.0.0.1:0", "--connection", CONNECTION, "--spool", str(tmp_path)]) == 1
    told = capsys.readouterr().err
    assert "needs pymavlink, which is not installed" in told
    assert "make gateway" in told


def test_the_app_s_heavy_packages_are_not_needed() -> None:
    """A companion computer has what gateway/requirements.txt says, and nothing else."""
    heavy = "brotli backports.zstd shapely pyproj numpy google.protobuf azure.functions azure.cosmos"
    code = (
        "import sys, gateway.__main__, gateway.mavlink.feed, gateway.dji, gateway.files.flight_csv, gateway.files.gpx\n"
        f"print([name for name in {heavy.split()!r} if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_package_of_another_name() -> None:
    error = NotInstalled.of(ModuleNotFoundError("No module named 'serial'", name="serial"), "a serial line")
    assert "a serial line needs pyserial" in str(error)
