"""What is missing, in one clear line."""

from __future__ import annotations

import sys

_PACKAGES = {"pymavlink": "pymavlink", "serial": "pyserial", "aiomqtt": "aiomqtt", "rich": "rich", "orjson": "orjson"}


class NotInstalled(Exception):
    """A package is missing that this needs."""

    @classmethod
    def of(cls, error: ImportError, need: str) -> NotInstalled:
        """``need``: what cannot be done without it."""
        module = (error.name or "").partition(".")[0]
        package = _PACKAGES.get(module, module or "a package")
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        return cls(
            f"{need} needs {package}, which is not installed for this Python {version}: run `make gateway`, or "
            f"`{sys.executable} -m pip install -r gateway/requirements.txt`. Where there is no wheel for {version}, "
            f"install a C compiler for pip to build it with, or use a Python from 3.10 to 3.13 ({error})"
        )
