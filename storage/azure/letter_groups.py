"""Which dead letters a filter means in Cosmos DB, and how many there are of each rule and device."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.ports import DeadLetterFilter, LetterGroup, LetterGroups
from storage.azure.items import Item

FIELDS = "c.codes, c.deviceId, c.createdAt"


def matching(where: DeadLetterFilter, before: str) -> tuple[list[str], dict[str, str], str]:
    """Conditions, their parameters, and what the letters are in order by; ``before`` is of that order, "~" its end."""
    path, prefix = ("c.sort", "") if where.status is None else ("c.statusSort", f"{where.status}|")
    conditions = [f"{path} >= @from", f"{path} < @to"]
    parameters = {"@from": prefix, "@to": prefix + before}  # "~": larger than any time
    if where.device_id is not None:
        conditions.append("c.deviceId = @device")
        parameters["@device"] = where.device_id
    if where.batch_id is not None:
        conditions.append("c.batchId = @batch")
        parameters["@batch"] = where.batch_id
    if where.error_code is not None:
        conditions.append("ARRAY_CONTAINS(c.codes, @code)")
        parameters["@code"] = where.error_code
    return conditions, parameters, path


def grouped(found: Sequence[Item], error_code: str | None, most: int, limit: int) -> LetterGroups:
    """Counted here: a query over all partitions cannot group. ``found`` holds one more than ``most`` if there are."""
    times: dict[tuple[str, str | None], list[str]] = {}
    for item in found[:most]:
        for code in item["codes"]:
            if error_code in (None, code):
                times.setdefault((code, item["deviceId"]), []).append(item["createdAt"])
    largest = sorted(times.items(), key=lambda one: (-len(one[1]), one[0][0], one[0][1] or ""))
    groups = [LetterGroup(*key, len(some), max(some), min(some)) for key, some in largest[:limit]]
    return LetterGroups(groups, min(len(found), most), len(found) <= most)
