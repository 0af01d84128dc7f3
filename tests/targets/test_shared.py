"""A target that several attempts share."""

from cloudkata.targets.embedded import EmbeddedTarget
from cloudkata.targets.probes import Bench
from cloudkata.targets.shared import Shared


def mapped(session) -> str:
    """Map a queue to a function; the mapping's UUID."""
    bench = Bench(session)
    url = bench.client("sqs").create_queue(QueueName=f"{session.prefix}-q")["QueueUrl"]
    attributes = bench.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    bench.permit(["sqs:*"], attributes["QueueArn"])
    functions = bench.client("lambda")
    name = bench.function("def handler(event, context):\n    pass\n")
    made = functions.create_event_source_mapping(FunctionName=name, EventSourceArn=attributes["QueueArn"])
    assert bench.until(lambda: functions.get_event_source_mapping(UUID=made["UUID"])["State"] == "Enabled")
    return made["UUID"]


def test_what_polls_for_an_attempt_ends_with_it():
    with EmbeddedTarget() as target:
        with Shared(target) as shared:
            session = shared.session("05")
            uuid = mapped(session)
        functions = session.client("lambda", session.checks)
        left = functions.list_event_source_mappings()["EventSourceMappings"]
        assert [(mapping["UUID"], mapping["State"]) for mapping in left] in ([], [(uuid, "Deleting")])
