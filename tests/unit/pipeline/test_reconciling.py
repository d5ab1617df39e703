"""What an attempt makes of what earlier ones left."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.reconciling import Reconciled, reconcile, to_claim
from pipeline.records import Counts, Outcome, Standing


def message(number: int, index: int = 0) -> Any:
    return {"id": f"m{number}-{index}", "sequenceNumber": number, "index": index}


def letter(number: int, index: int | None = None, messages: int = 1) -> Any:
    return {"id": f"l{number}-{index}", "sequenceNumber": number, "index": index, "messages": messages}


def standing(
    number: int, index: int | None, status: Any = "open", messages: int = 1, corrected: int | None = None
) -> Standing:
    return Standing(f"l{number}-{index}", status, messages, number, index, "2026-01-01T00:00:00.000000Z", corrected)


def ids(plan: Reconciled) -> tuple[list[str], list[str]]:
    return [one["id"] for one in plan.messages], [one["id"] for one in plan.letters]


def test_what_is_stored_stays_stored_and_becomes_no_letter() -> None:
    plan = reconcile([message(2)], [letter(1)], [], {(1, 0), (2, 0)}, [], ran_before=True)
    assert ids(plan) == ([], [])
    assert plan.with_outcomes([], []) == Counts(2, 2, 0, 0)


def test_what_was_a_duplicate_stays_one() -> None:
    plan = reconcile([], [letter(1)], [], set(), [], ran_before=True)
    assert ids(plan) == ([], [])
    assert plan.with_outcomes([], []) == Counts(1, 0, 1, 0)


def test_after_an_attempt_that_did_not_end_what_has_no_letter_gets_one() -> None:
    plan = reconcile([], [letter(1)], [], set(), [], ran_before=False)
    assert ids(plan) == ([], ["l1-None"])
    assert plan.with_outcomes([], [Outcome.STORED]) == Counts(1, 0, 0, 1)
    assert plan.with_outcomes([], [Outcome.DUPLICATE]) == Counts(1, 0, 1, 0)


def test_an_open_letter_is_brought_up_to_date_and_counted_once() -> None:
    plan = reconcile([], [letter(1), letter(2, 0)], [standing(1, None), standing(2, 0)], set(), [], ran_before=True)
    assert ids(plan) == ([], ["l1-None", "l2-0"])
    assert plan.with_outcomes([], [Outcome.STORED, Outcome.SETTLED]) == Counts(2, 0, 0, 2)


def test_a_message_that_is_being_replayed_counts_as_rejected_until_the_replay_tells() -> None:
    """Its document is there, its letter still open: the move of the counts is to come."""
    plan = reconcile([], [letter(1)], [standing(1, None)], {(1, 0)}, [], ran_before=True)
    assert plan.with_outcomes([], [Outcome.SETTLED]) == Counts(1, 0, 0, 1)


def test_an_accepted_message_is_put_and_its_claimed_letter_no_longer_counts() -> None:
    letters = [standing(1, 0), standing(2, None)]
    assert to_claim([message(1), message(2), message(3)], letters) == {
        "l1-0": [message(1)],
        "l2-None": [message(2)],
    }
    plan = reconcile([message(1), message(2)], [], letters, set(), ["l1-0", "l2-None"], ran_before=True)
    assert ids(plan) == (["m1-0", "m2-0"], [])
    assert plan.with_outcomes([Outcome.STORED, Outcome.DUPLICATE], []) == Counts(2, 1, 1, 0)


@pytest.mark.parametrize("index", [0, None])
def test_a_discarded_message_is_not_stored(index: int | None) -> None:
    plan = reconcile([message(1)], [], [standing(1, index, "discarded")], set(), [], ran_before=True)
    assert ids(plan) == ([], [])
    assert plan.discarded == {(1, 0)}
    assert plan.with_outcomes([], []) == Counts(1, 0, 0, 1)


def test_a_replayed_letter_counts_by_its_documents() -> None:
    letters = [standing(1, None, "replayed", 3)]
    plan = reconcile([], [letter(1, None, 3)], letters, {(1, 0), (1, 2)}, [], ran_before=True)
    assert plan.with_outcomes([], [Outcome.SETTLED]) == Counts(3, 2, 1, 0)


def test_an_events_letter_stands_until_one_of_its_messages_is_accepted() -> None:
    event = standing(1, None, messages=3)
    today = [letter(1, index) for index in range(3)]
    plan = reconcile([], today, [event], set(), [], ran_before=True)
    assert ids(plan) == ([], [])
    assert plan.with_outcomes([], []) == Counts(3, 0, 0, 3)
    plan = reconcile([message(1, 0)], today[1:], [event], set(), [event.id], ran_before=False)
    assert ids(plan) == (["m1-0"], ["l1-1", "l1-2"])
    assert plan.with_outcomes([Outcome.STORED], [Outcome.STORED] * 2) == Counts(3, 1, 0, 2)


def test_messages_that_were_judged_one_by_one_stay_so() -> None:
    letters = [standing(1, 0), standing(1, 1, "discarded"), standing(1, 2, "replayed")]
    plan = reconcile([], [letter(1, None, 5)], letters, {(1, 2), (1, 3)}, [], ran_before=True)
    assert ids(plan) == ([], [])
    assert plan.with_outcomes([], []) == Counts(5, 2, 1, 2)


def test_letters_of_events_that_say_nothing_any_more_still_count() -> None:
    plan = reconcile([], [], [standing(1, None), standing(2, 0, "replayed")], {(2, 0)}, [], ran_before=True)
    assert plan.with_outcomes([], []) == Counts(2, 1, 0, 1)


@pytest.mark.parametrize("index", [0, None])
def test_what_was_corrected_is_not_stored_as_it_was(index: int | None) -> None:
    """Today's rules accept what the letter stood for; the copy that answered it was stored, or was a duplicate."""
    letters = [standing(1, index, "replayed", corrected=1)]
    assert to_claim([message(1)], [standing(1, index, "open", corrected=1)]) == {}
    for written, counts in (({(1, 0)}, Counts(1, 1, 0, 0)), (set(), Counts(1, 0, 1, 0))):
        plan = reconcile([message(1)], [], letters, written, [], ran_before=True)
        assert ids(plan) == ([], [])
        assert plan.discarded == {(1, 0)}, "nor do the drones hear of it"
        assert plan.with_outcomes([], []) == counts


@pytest.mark.parametrize("answer", [{"status": "replayed", "corrected": 2}, {"status": "discarded"}], ids=str)
def test_what_is_taken_out_of_the_page_still_counts_when_the_step_runs_again(answer: Any) -> None:
    """Today's rules accept it, but it is answered otherwise; beside it stands a duplicate."""
    letters = [standing(1, 1, **answer)]
    first = reconcile([message(1, 0), message(1, 1)], [], letters, set(), [], ran_before=True)
    assert first.discarded == {(1, 1)}
    again = reconcile([message(1, 0)], [], letters, set(), [], ran_before=True)
    alone = reconcile([], [], letters, set(), [], ran_before=True)
    corrected = answer.get("corrected", 0)
    rejected = 0 if corrected else 1
    for plan, duplicates in ((first, 1), (again, 1), (alone, 0)):
        told = plan.with_outcomes([Outcome.DUPLICATE] * len(plan.messages), [])
        counted = Counts(duplicates + corrected + rejected, 0, duplicates + corrected, rejected)
        assert told == counted


def test_a_correction_that_is_under_way_counts_as_rejected_until_it_tells() -> None:
    letters = [standing(1, 0, "open", corrected=1)]
    plan = reconcile([message(1)], [], letters, {(1, 0)}, [], ran_before=True)
    assert ids(plan) == ([], [])
    assert plan.discarded == {(1, 0)}
    assert plan.with_outcomes([], []) == Counts(1, 0, 0, 1)


def test_a_corrected_event_counts_what_the_copy_holds() -> None:
    """An event that was unreadable became three messages, one of them known already."""
    letters = [standing(1, None, "replayed", corrected=3)]
    for today in ([letter(1)], [letter(1, 0), letter(1, 1)]):
        plan = reconcile([], today, letters, {(1, 0), (1, 2)}, [], ran_before=False)
        assert ids(plan) == ([], [])
        assert plan.with_outcomes([], []) == Counts(3, 2, 1, 0)


def test_a_corrected_message_of_several_keeps_to_its_place() -> None:
    letters = [standing(1, 1, "replayed", corrected=1), standing(1, 2)]
    plan = reconcile([message(1, 0)], [letter(1, 1), letter(1, 2)], letters, {(1, 0), (1, 1)}, [], ran_before=True)
    assert ids(plan) == ([], ["l1-1", "l1-2"])
    assert plan.with_outcomes([], [Outcome.SETTLED, Outcome.STORED]) == Counts(3, 2, 0, 1)
