"""Tumbling windows hand their state on, end when their time has passed, and fail without a state."""

import pytest
from streams import Mapped
from support import eventually, within

pytestmark = [
    pytest.mark.behaviour("stream_mappings"),
    pytest.mark.not_localstack("4.14 has no tumbling windows"),
]


def _final(mapped):
    """What was seen once a window has been closed, or at the end of patience."""
    within(lambda: any(one.get("isFinalInvokeForWindow") for one in mapped.seen()), 15)
    return mapped.seen()


def test_state_goes_from_one_invocation_to_the_next_and_into_the_last(aws):
    mapped = Mapped.make(aws, "kinesis", MODE="sum")
    mapped.put("a", "b", "c", "d")
    mapped.map(TumblingWindowInSeconds=5, BatchSize=1)
    seen = [one for one in _final(mapped) if one.get("window")]
    assert seen, "an event of a window says which"
    by_window: dict[str, list[dict]] = {}
    for one in seen:
        by_window.setdefault(one["window"]["start"], []).append(one)
    first = by_window[min(by_window)]
    assert [one["state"].get("count", 0) for one in first] == list(range(len(first)))
    assert [one["isFinalInvokeForWindow"] for one in first] == [False] * (len(first) - 1) + [True]
    assert first[-1]["values"] == [] and first[-1]["shardId"] == "shardId-000000000000"
    assert not first[-1]["isWindowTerminatedEarly"]


def test_an_answer_without_a_state_fails_the_invocation(aws):
    mapped = Mapped.make(aws, "kinesis")
    mapped.put("a")
    mapped.map(TumblingWindowInSeconds=900)
    eventually(mapped.handed)
    assert within(lambda: mapped.handed().count("a") >= 2, 8)
