"""An output that names a Kinesis stream is looked up before it counts."""

import pytest

from cloudkata.deployment.outputs import OutputError, verify
from cloudkata.targets.embedded import EmbeddedTarget

KIND = {"It": "stream-name"}


@pytest.fixture(scope="module")
def target():
    with EmbeddedTarget() as running:
        yield running


@pytest.fixture(scope="module")
def session(target):
    made = target.session("05")
    for name in (f"{made.prefix}-readings", "other-readings"):
        made.client("kinesis", made.learner).create_stream(StreamName=name, ShardCount=1)
    return made


def test_a_stream_of_the_attempt_counts(session):
    own = {"It": f"{session.prefix}-readings"}
    assert verify(own, KIND, session) == own


@pytest.mark.parametrize(
    "value, reason",
    [("no such thing!", "is not the name"), ("{prefix}-gone", "no such stream"), ("other-readings", "did not make")],
)
def test_what_is_no_stream_of_the_attempt_is_refused(session, value, reason):
    with pytest.raises(OutputError, match=reason):
        verify({"It": value.format(prefix=session.prefix)}, KIND, session)


def test_a_stream_of_another_account_is_refused(target, session):
    with pytest.raises(OutputError):
        verify({"It": f"{session.prefix}-readings"}, KIND, target.session("05"))
