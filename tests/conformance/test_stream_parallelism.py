"""Several batches at once where order allows it, and none where it does not; mappings that do not wait for each other."""

import hashlib

import pytest
from streams import Mapped, make_stream
from support import eventually, within

pytestmark = pytest.mark.behaviour("stream_mappings")


def _until(mapped, *values, seconds=12):
    within(lambda: set(values) <= set(mapped.handed()), seconds if mapped.aws.advance else 60)


@pytest.mark.not_localstack("4.14 does nothing with ParallelizationFactor")
def test_with_a_factor_other_keys_go_on_while_one_is_blocked(aws):
    """Order is kept for each key all the same."""
    mapped = Mapped.make(aws, "kinesis")
    mapped.put("bad", "behind", key="blocked")
    keys = [f"k{number}" for number in range(12)]
    for key in keys:
        mapped.put(f"{key}-1", f"{key}-2", key=key)
    mapped.map(ParallelizationFactor=10, BatchSize=1)
    _until(mapped, "k0-2", "k1-2", "k2-2", seconds=4)
    eventually(lambda: "bad" in mapped.handed())
    handed = mapped.handed()
    ended = [key for key in keys if f"{key}-2" in handed]
    assert len(ended) >= 6, "most of twelve keys are in other parts than the blocked one"
    assert all(handed.index(f"{key}-1") < handed.index(f"{key}-2") for key in ended)
    assert "behind" not in handed


@pytest.mark.not_localstack("4.14 does not tell the last result")
def test_with_a_factor_of_one_everything_behind_a_blocked_record_waits(aws):
    mapped = Mapped.make(aws, "kinesis")
    mapped.put("first", "bad", key="blocked")
    mapped.put("other", key="k1")
    mapped.map(BatchSize=1)
    eventually(lambda: mapped.handed().count("bad") > 2)
    assert set(mapped.handed()) == {"first", "bad"}
    assert mapped.config()["LastProcessingResult"] == "PROBLEM: Function call failed"


@pytest.mark.localstack
def test_a_slow_function_does_not_delay_another_mapping(aws):
    mapped = Mapped.make(aws, "kinesis")
    other = Mapped(aws, "kinesis", make_stream(aws, "other"))
    mapped.put("snail")
    other.put("quick")
    mapped.map()
    other.map()
    eventually(lambda: {"quick", "snail"} <= set(mapped.handed()), 60)
    began = {one["values"][0]: one["at"] for one in mapped.seen()}
    assert began["quick"] - began["snail"] < 3.9, "it did not wait for the four seconds of the other"


@pytest.mark.not_localstack("4.14 reads the shards of a mapping one after the other")
def test_two_shards_are_worked_on_at_once(aws):
    """Batches of two shards overlap, however slow each is."""
    mapped = Mapped.make(aws, "kinesis", shards=2)
    halves: dict[bool, str] = {}
    for number in range(100):
        digest = hashlib.md5(f"k{number}".encode()).hexdigest()
        halves.setdefault(int(digest, 16) >= 2**127, f"k{number}")
    for key in halves.values():
        mapped.put("slow", key=key)
    mapped.map(BatchSize=1)
    eventually(lambda: len(mapped.seen()) == 2)
    one, two = (found["at"] for found in mapped.seen())
    assert two - one < 1.4, "the second batch began before the first one ended"


@pytest.mark.not_localstack("4.14 hands over again what had been handled")
def test_a_disabled_mapping_goes_on_where_it_stopped(aws):
    mapped = Mapped.make(aws, "kinesis")
    mapped.put("a")
    uuid = mapped.map(StartingPosition="TRIM_HORIZON")
    _until(mapped, "a")
    aws.lambda_.update_event_source_mapping(UUID=uuid, Enabled=False)
    eventually(lambda: mapped.config()["State"] == "Disabled")
    mapped.put("b")
    aws.lambda_.update_event_source_mapping(UUID=uuid, Enabled=True, BatchSize=7, BisectBatchOnFunctionError=True)
    eventually(lambda: mapped.config()["State"] == "Enabled")
    _until(mapped, "b")
    assert mapped.handed() == ["a", "b"]
    assert mapped.config()["BisectBatchOnFunctionError"] is True
    assert mapped.config().get("ParallelizationFactor") == 1
