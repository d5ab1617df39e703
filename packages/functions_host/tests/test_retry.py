from __future__ import annotations

import pytest
from functions_host.retry import RetryPolicy


def test_a_fixed_delay_stays() -> None:
    policy = RetryPolicy("fixed_delay", 3, 5.0, 5.0)
    assert [policy.delay(retry) for retry in range(4)] == [5.0] * 4
    assert [policy.allows(retry) for retry in range(5)] == [True, True, True, False, False]


def test_a_back_off_grows_to_its_maximum() -> None:
    policy = RetryPolicy("exponential_backoff", -1, 1.0, 30.0)
    delays = [policy.delay(retry) for retry in range(12)]
    assert all(0.8 * 2**retry <= delay <= 1.2 * 2**retry for retry, delay in enumerate(delays[:4]))
    assert delays[-1] == 30.0
    assert policy.allows(10**9)


@pytest.mark.parametrize("retry", [100, 10_000])
def test_very_many_retries_do_not_overflow(retry: int) -> None:
    assert RetryPolicy("exponential_backoff", -1, 1.0, 30.0).delay(retry) == 30.0
