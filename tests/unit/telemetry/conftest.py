from __future__ import annotations

from hypothesis import HealthCheck, settings

# The suite shares its machine: how long one example takes says nothing.
settings.register_profile("shared-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared-machine")
