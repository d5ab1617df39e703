"""``AUTH_MODE``: who is let in."""

from __future__ import annotations

from settings.errors import SettingError
from settings.reader import Reader


def read_auth_mode(read: Reader, in_azure: bool) -> str:
    mode = read.choice("AUTH_MODE", "none", ("none", "app-service"))
    if mode == "none" and in_azure and not read.flag("ALLOW_ANONYMOUS_IN_AZURE"):
        raise SettingError(
            "AUTH_MODE",
            "is 'none', which lets everybody in; allowed in Azure: 'app-service', or 'none' with "
            "ALLOW_ANONYMOUS_IN_AZURE=1",
        )
    return mode
