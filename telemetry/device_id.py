"""What a device id may be."""

from __future__ import annotations

import re

DEVICE_ID_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
