"""Log lines carry the ids that join them."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from observability import log
from tests.support.pipeline import delivery, make_pipeline, message, open_sqlite


def test_a_line_has_its_words_and_its_ids(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "dronetelemetry"):
        log(logging.INFO, "batch completed", batchId="b", instanceId="b~1", error=None)
    [record] = caplog.records
    words, _, ids = record.getMessage().partition(" {")
    assert words == "batch completed"
    assert json.loads("{" + ids) == {"batchId": "b", "instanceId": "b~1"}


def test_an_id_that_is_no_json_is_logged_as_text(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "dronetelemetry"):
        log(logging.INFO, "odd", batchId=Path("x"))
        log(logging.INFO, "odder", size=2**70)
    assert '"x"' in caplog.text
    assert str(2**70) in caplog.text


async def test_the_life_of_a_batch_can_be_followed_by_its_id(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = await open_sqlite(tmp_path)
    pipeline = make_pipeline(store)
    with caplog.at_level(logging.INFO, "dronetelemetry"):
        batch = await pipeline.receive([delivery(1, message("a", 1)), delivery(2, message("b", 1, battery=7))])
        await pipeline.engine.run()
    await store.close()
    lines = [record.getMessage() for record in caplog.records if batch.id in record.getMessage()]
    assert [line.partition(" {")[0] for line in lines] == ["batch received", "message rejected", "batch completed"]
    assert '"deviceId":"b"' in lines[1]
    assert '"deadLetterId"' in lines[1]
