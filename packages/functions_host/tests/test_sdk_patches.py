"""The code of azure-eventhub that is replaced is what it was when its replacement was written."""

from __future__ import annotations

import importlib
from importlib.metadata import version

import pytest
from functions_host.eventhubs.sdk_patches import ALL, WRITTEN_FOR, Replaced


@pytest.mark.parametrize("replaced", ALL, ids=lambda replaced: replaced.code)
def test_the_sdks_code_is_what_its_replacement_was_written_for(replaced: Replaced) -> None:
    assert replaced.source_digest() == replaced.digest, (
        f"azure-eventhub {version('azure-eventhub')}: {replaced.code} is not what it was in {WRITTEN_FOR}; "
        f"see that {replaced.by} still gives equal results, then write the new digest down"
    )


@pytest.mark.parametrize("replaced", ALL, ids=lambda replaced: replaced.code)
def test_what_replaces_it_says_why(replaced: Replaced) -> None:
    assert importlib.import_module(f"functions_host.eventhubs.{replaced.by}").__doc__
