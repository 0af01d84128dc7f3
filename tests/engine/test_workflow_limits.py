"""The limits of a task with a token count from its start, whoever waits for it from when on."""

import pytest

from cloudkata.engine.workflows.callbacks import Refused, Tokens, beat


@pytest.fixture
def task():
    token, pending = Tokens.new()
    yield token, pending
    pending.close()


def refused(now, token):
    with pytest.raises(Refused) as caught:
        beat(now, {"taskToken": token})
    return caught.value.args[0]


def test_a_heartbeat_after_the_time_out_is_refused_before_anybody_noticed(task):
    token, pending = task
    pending.started(100.0, 60.0, None)
    beat(159.0, {"taskToken": token})
    assert refused(160.0, token) == "TaskTimedOut"


def test_a_heartbeat_after_too_long_a_silence_is_refused(task):
    token, pending = task
    pending.started(100.0, 600.0, 60.0)
    beat(159.0, {"taskToken": token})
    beat(218.0, {"taskToken": token})
    assert refused(278.0, token) == "TaskTimedOut"


def test_a_task_without_limits_takes_any_heartbeat(task):
    token, pending = task
    pending.started(100.0, None, None)
    beat(1e9, {"taskToken": token})
