"""Waits until the role assignments of the resource group have had time to spread; ``azd`` runs it before it deploys.

A role that was assigned a moment ago is refused with 403 here and there for some minutes, and azd does not try a
deployment again. The age of the newest assignment is all that can be asked for, so a second deployment does not wait.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Sequence
from datetime import datetime, timezone

from sign_in import SignInError, run

SPREAD_SECONDS = 180.0


def seconds_left(assignments: Sequence[dict[str, str | None]], now: datetime) -> float:
    """How long to wait (seconds, 0 or more) until the newest of the assignments is old enough."""
    created = (_moment(entry.get("createdOn")) for entry in assignments)
    newest = max((when for when in created if when is not None), default=None)
    # A clock that is behind Azure's own waits no longer for it.
    return 0.0 if newest is None else min(SPREAD_SECONDS, max(0.0, SPREAD_SECONDS - (now - newest).total_seconds()))


def _moment(text: str | None) -> datetime | None:
    """None for what is no time. The CLI's versions differ in how many digits a second has, and Python's in how many
    they read."""
    found = re.match(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(?:Z|([+-]\d\d:\d\d))?$", text or "")
    return None if found is None else datetime.fromisoformat(f"{found[1]}{found[2] or '+00:00'}")


def main() -> int:
    group = os.environ.get("AZURE_RESOURCE_GROUP", "")
    if not group:
        print("roles: AZURE_RESOURCE_GROUP is not set: run azd provision first", file=sys.stderr)
        return 1
    # The one that azd deploys to need not be the one that the CLI is set to.
    subscription = os.environ.get("AZURE_SUBSCRIPTION_ID", "")
    how = [*(["--subscription", subscription] if subscription else []), "-o", "json"]
    try:
        scopes = json.loads(run(["az", "resource", "list", "--resource-group", group, "--query", "[].id", *how]))
        assignments: list[dict[str, str | None]] = []
        for scope in scopes:
            query = ["az", "role", "assignment", "list", "--scope", scope, "--query", "[].{createdOn:createdOn}"]
            assignments += json.loads(run([*query, *how]))
    except SignInError as error:
        # Worth a try all the same: the deployment itself says 403 when the roles are not there yet.
        print(f"roles: not looked at ({error}); if the deployment ends with 403, run azd deploy again", file=sys.stderr)
        return 0
    left = seconds_left(assignments, datetime.now(timezone.utc))
    if left:
        print(f"roles: the newest assignment is fresh; waiting {left:.0f} s for it to spread")
        time.sleep(left)
    return 0


if __name__ == "__main__":
    sys.exit(main())
