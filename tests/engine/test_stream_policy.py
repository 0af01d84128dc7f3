"""What a stream mapping does after each outcome, without a stream: pure functions."""

import json

import pytest

from cloudkata.engine.mappings.calls import Answer
from cloudkata.engine.streams import policy
from cloudkata.engine.streams.policy import Outcome, next_steps, outcome_of, pause_seconds, without_old
from cloudkata.engine.streams.records import Record, Settings, Work

PARTIAL = {"FunctionResponseTypes": ["ReportBatchItemFailures"]}


def work(count: int, attempts: int = 0, ages=()) -> Work:
    arrived = ages or range(count)
    return Work(tuple(Record(str(100 + n), "k", arrived[n], 10, {}, {}) for n in range(count)), attempts)


def settings(**given) -> Settings:
    return Settings.of(given)


def said(answer, **given) -> Outcome:
    """The outcome of a batch of four with partial responses on."""
    found = Answer(200, "", json.dumps(answer).encode(), "$LATEST", "id")
    return outcome_of(found, work(4), settings(**(PARTIAL | given)))


def failures(*identifiers):
    return {"batchItemFailures": [{"itemIdentifier": one} for one in identifiers]}


def numbers(part: Work) -> list[str]:
    return [record.sequence for record in part.records]


@pytest.mark.parametrize("answer", [None, {}, {"batchItemFailures": []}, {"batchItemFailures": None}])
def test_an_empty_answer_is_a_whole_success(answer):
    assert said(answer).kind == "done"


@pytest.mark.parametrize("item", [{"itemIdentifier": ""}, {"itemIdentifier": None}, {"id": "102"}, "102"])
def test_an_item_without_an_identifier_is_a_whole_failure(item):
    assert said({"batchItemFailures": [item]}).kind == "failed"


def test_the_lowest_number_is_the_checkpoint():
    outcome = said(failures("103", "101", "102"))
    assert (outcome.kind, outcome.index) == ("partial", 1)


def test_an_answer_is_ignored_without_the_setting():
    assert said(failures("101"), FunctionResponseTypes=[]).kind == "done"


def test_an_exception_fails_the_batch_whatever_was_answered():
    found = Answer(200, "Unhandled", json.dumps(failures("102")).encode(), "$LATEST", "id")
    assert outcome_of(found, work(4), settings(**PARTIAL)).kind == "failed"


@pytest.mark.parametrize("status", [429, 409, 404, 500])
def test_a_function_that_was_not_reached_has_not_failed(status):
    found = Answer(status, "", b"{}", "$LATEST", "id")
    steps = next_steps(work(2, 3), outcome_of(found, work(2), settings()), settings(MaximumRetryAttempts=3))
    assert ([part.attempts for part in steps.again], steps.pause) == ([3], True)


def test_bisecting_halves_a_batch_and_uses_up_no_attempt():
    steps = next_steps(work(5), Outcome("failed"), settings(BisectBatchOnFunctionError=True, MaximumRetryAttempts=0))
    assert [numbers(part) for part in steps.again] == [["100", "101"], ["102", "103", "104"]]
    assert [part.attempts for part in steps.again] == [0, 0]
    assert not steps.discarded


@pytest.mark.parametrize("retries, times", [(0, 1), (2, 3)])
def test_a_record_is_tried_once_more_than_it_may_be_retried(retries, times):
    chosen, part, count = settings(MaximumRetryAttempts=retries), work(1), 0
    while part:
        count += 1
        steps = next_steps(part, Outcome("failed"), chosen)
        part = steps.again[0] if steps.again else None
    assert (count, steps.discarded.attempts) == (times, times)


def test_without_a_limit_it_is_tried_for_ever():
    steps = next_steps(work(1, 10**6), Outcome("failed"), settings())
    assert steps.again and not steps.discarded


def test_a_partial_response_cuts_the_batch_when_bisecting_and_uses_up_no_attempt():
    steps = next_steps(
        work(4), Outcome("partial", 2), settings(BisectBatchOnFunctionError=True, MaximumRetryAttempts=0)
    )
    assert [(numbers(part), part.attempts) for part in steps.again] == [(["102", "103"], 0)]


def test_without_bisecting_the_whole_rest_is_discarded_in_the_end():
    chosen = settings(MaximumRetryAttempts=1)
    (rest,) = next_steps(work(4), Outcome("partial", 1), chosen).again
    steps = next_steps(rest, Outcome("failed"), chosen)
    assert numbers(steps.discarded) == ["101", "102", "103"]


def test_what_is_older_than_its_limit_goes_and_the_rest_stays():
    old, left = without_old(work(3, ages=(0, 50, 100)), settings(MaximumRecordAgeInSeconds=60), 86_400, 120)
    assert (numbers(old), numbers(left)) == (["100", "101"], ["102"])


def test_without_a_limit_only_what_the_stream_has_lost_goes():
    old, left = without_old(work(2, ages=(0, 1)), settings(), 100, 100.5)
    assert (numbers(old), numbers(left)) == (["100"], ["101"])


def test_pauses_grow_up_to_a_minute():
    assert [pause_seconds(failures) for failures in (1, 2, 3, 10)] == [1, 2, 4, 60]


def test_conditions_are_the_documented_words():
    assert (policy.EXHAUSTED, policy.TOO_OLD) == ("RetryAttemptsExhausted", "RecordAgeExceeded")
