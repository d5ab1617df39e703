"""The wheel, alone: installed into a fresh environment of each Python, and tested there.

``nox -s tests-3.12`` for one of them; arguments behind ``--`` go to pytest.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import nox

HERE = Path(__file__).parent

nox.options.default_venv_backend = "venv"


@nox.session(python=["3.10", "3.11", "3.12", "3.13"])
def tests(session: nox.Session) -> None:
    """Build the wheel, install it with the test tools, and run the tests away from the sources."""
    place = Path(session.create_tmp())
    source, wheels, tests_too = place / "source", place / "wheels", place / "alone"
    for folder in (source, wheels, tests_too):
        shutil.rmtree(folder, ignore_errors=True)
    # From a copy: a build leaves folders in its sources.
    ignored = shutil.ignore_patterns("tests", "*.egg-info", "__pycache__", ".*", "build")
    shutil.copytree(HERE, source, ignore=ignored)
    session.install("build")
    session.run("python", "-m", "build", "--wheel", "--outdir", str(wheels), str(source), silent=True)
    session.install(f"{next(wheels.glob('*.whl'))}[test]")
    for part in ("tests", "benchmarks"):
        shutil.copytree(HERE / part, tests_too / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(HERE / "alone.ini", tests_too)
    session.chdir(tests_too)
    session.run("python", "-m", "pytest", "-c", "alone.ini", "tests", "-q", *session.posargs)
