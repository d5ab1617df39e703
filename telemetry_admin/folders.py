"""Commands of a local host's folder, which do not ask the host."""

from __future__ import annotations

import argparse

from telemetry_admin.backup import backup, restore
from telemetry_admin.options import Rooms
from telemetry_admin.verify import verify


def add_folders(rooms: Rooms) -> None:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--data", default=".data", metavar="DIR", help="the host's data folder (.data)")
    common.add_argument("--json", action="store_true", help="JSON instead of tables")
    app = argparse.ArgumentParser(add_help=False)
    app.add_argument("--app-data", metavar="DIR", help="where DATA_DIR points to, if not to app in that folder")

    says = "copy store, engine, checkpoints and hub, while the host runs or not"
    verb = rooms.add_parser("backup", parents=[common, app], help=says, description=says)
    verb.add_argument("to", metavar="TO", help="a folder that is not there yet")
    verb.set_defaults(command=backup)
    says = "put a backup where a host finds it"
    verb = rooms.add_parser("restore", parents=[common], help=says, description=says)
    verb.add_argument("source", metavar="FROM")
    verb.add_argument("--replace", action="store_true", help="move aside what is there")
    verb.set_defaults(command=restore)
    says = "count what must hold in a data folder or a backup"
    rooms.add_parser("verify", parents=[common, app], help=says, description=says).set_defaults(command=verify)
