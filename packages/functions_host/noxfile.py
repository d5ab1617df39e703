"""The wheel, alone: installed into a fresh environment of each Python, and tested there.

``nox -s tests-3.12`` for one of them; arguments behind ``--`` go to pytest.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import nox

HERE = Path(__file__).parent
# Beside this package while neither is published.
HUB = HERE.parent / "event_hubs_emulator"

nox.options.default_venv_backend = "venv"


@nox.session(python=["3.10", "3.11", "3.12", "3.13"])
def tests(session: nox.Session) -> None:
    """Build both wheels, install them with the test tools, and run the tests away from the sources."""
    place = Path(session.create_tmp())
    wheels = place / "wheels"
    shutil.rmtree(wheels, ignore_errors=True)
    session.install("build")
    for package in (HUB, HERE):
        # From a copy: a build leaves folders in its sources.
        source = place / package.name
        shutil.rmtree(source, ignore_errors=True)
        shutil.copytree(
            package, source, ignore=shutil.ignore_patterns("tests", "*.egg-info", "__pycache__", ".*", "build")
        )
        session.run("python", "-m", "build", "--wheel", "--outdir", str(wheels), str(source), silent=True)
    hub, host = (str(next(wheels.glob(f"{name}-*.whl"))) for name in ("event_hubs_emulator", "functions_host"))
    session.install(hub, f"{host}[test]")
    copied = place / "tests"
    shutil.rmtree(copied, ignore_errors=True)
    shutil.copytree(HERE / "tests", copied, ignore=shutil.ignore_patterns("__pycache__", "test_wheel.py"))
    shutil.copy(HERE / "alone.ini", place)
    session.chdir(place)
    session.run("python", "-m", "pytest", "-c", "alone.ini", "tests", "-q", *session.posargs)
