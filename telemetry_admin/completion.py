"""``completion``: what bash or zsh completes after ``telemetry_admin``, and that name as a command."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

from telemetry_admin.options import Rooms
from telemetry_admin.output import Output

SHELLS = ("bash", "zsh")
PROGRAM = "telemetry_admin"
_ROOT = Path(__file__).resolve().parent.parent


def add_completion(rooms: Rooms, whole: argparse.ArgumentParser) -> None:
    """``whole``: the parser of the command line."""

    says = "a shell's completion, to be evaluated in it"
    parser = rooms.add_parser("completion", help=says, description=says)
    parser.add_argument("shell", choices=SHELLS)
    parser.set_defaults(command=lambda out, args: print_completion(out, args.shell, whole), json=False)


def print_completion(out: Output, shell: str, whole: argparse.ArgumentParser) -> int:
    """A function of the command's name, because the command is a module of a checkout, and what completes it."""
    try:
        import shtab
    except ImportError:
        out.error("completion needs shtab: .venv/bin/python -m pip install -r telemetry_admin/requirements.txt")
        return 1
    sys.stdout.write(
        f"{PROGRAM}() {{ PYTHONPATH={shlex.quote(str(_ROOT))}${{PYTHONPATH:+:$PYTHONPATH}} "
        f'{shlex.quote(sys.executable)} -m telemetry_admin "$@"; }}\n'
    )
    sys.stdout.write(shtab.complete(whole, shell=shell))
    return 0
