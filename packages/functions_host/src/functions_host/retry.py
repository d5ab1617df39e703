"""Function-level retry policies (`@app.retry`), as the worker hands them to the host."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import Any

from functions_host.errors import StartError


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """`max_retries` -1 means indefinitely. Times in seconds; for a fixed delay `minimum` == `maximum`."""

    strategy: str
    max_retries: int
    minimum: float
    maximum: float

    def delay(self, retry: int) -> float:
        """Seconds before retry number `retry` (from 0): the exponent grows with it, with 20 % of jitter."""
        if self.strategy == "fixed_delay":
            return self.minimum
        step: float = max(self.minimum, 0.001) * (2 ** min(retry, 40))
        return min(self.maximum, step * random.uniform(0.8, 1.2))

    def allows(self, retry: int) -> bool:
        return self.max_retries < 0 or retry < self.max_retries


def read_retry_policy(function: Any, name: str) -> RetryPolicy | None:
    """The policy of an azure.functions Function; StartError for one the real worker would refuse.

    The worker reads intervals as whole seconds ``HH:MM:SS`` and nothing else.
    """
    settings = function.get_settings_dict("retry_policy")
    if not settings:
        return None
    strategy = settings.get("strategy")
    try:
        retries = int(settings.get("max_retry_count"))
    except (TypeError, ValueError):
        raise StartError(f"function {name!r}: retry max_retry_count must be a whole number") from None
    if retries < -1:
        raise StartError(f"function {name!r}: retry max_retry_count must be -1 (indefinitely) or more")
    if strategy == "fixed_delay":
        delay = _seconds(settings.get("delay_interval"), name, "delay_interval")
        return RetryPolicy("fixed_delay", retries, delay, delay)
    if strategy != "exponential_backoff":
        raise StartError(f"function {name!r}: retry strategy {strategy!r} is not fixed_delay or exponential_backoff")
    minimum = _seconds(settings.get("minimum_interval"), name, "minimum_interval")
    maximum = _seconds(settings.get("maximum_interval"), name, "maximum_interval")
    return RetryPolicy("exponential_backoff", retries, minimum, max(minimum, maximum))


def _seconds(text: Any, function: str, field: str) -> float:
    match = re.fullmatch(r"(\d{1,2}):(\d{1,2}):(\d{1,2})", str(text or ""))
    if match is None:
        raise StartError(f"function {function!r}: retry {field} must be HH:MM:SS, not {text!r}")
    hours, minutes, seconds = (int(part) for part in match.groups())
    return float(hours * 3600 + minutes * 60 + seconds)
