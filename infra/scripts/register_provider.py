"""With ``VNET_ENABLED``: registers the resource provider ``Microsoft.App`` in the subscription; ``azd`` runs it first.

Flex Consumption asks for a subnet that is delegated to ``Microsoft.App/environments``. Azure registers by itself only
the providers of resources that a template makes, and this one makes none of that; where the provider is missing,
joining the network fails after a minute with a text that says nothing of it.
"""

from __future__ import annotations

import os
import sys

from sign_in import SignInError, run

PROVIDER = "Microsoft.App"


def main() -> int:
    if os.environ.get("VNET_ENABLED", "").lower() not in ("true", "1", "t"):
        return 0
    subscription = os.environ.get("AZURE_SUBSCRIPTION_ID", "")
    how = ["--namespace", PROVIDER, *(["--subscription", subscription] if subscription else [])]
    try:
        if run(["az", "provider", "show", *how, "--query", "registrationState", "-o", "tsv"]) != "Registered":
            print(f"network: registering {PROVIDER}; that takes a minute or two")
            run(["az", "provider", "register", *how, "--wait"])
    except SignInError as error:
        print(f"network: {error}\nVNET_ENABLED needs {PROVIDER} in the subscription", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
