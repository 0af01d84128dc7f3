"""What carries messages: queues, topics, streams."""

from __future__ import annotations

from collections.abc import Iterator

from cloudkata.targets.things.thing import Listing, Thing, items, looked_at


def _queues(client) -> Iterator[Thing]:
    for url in items(client, "list_queues", "QueueUrls"):
        yield Thing(url.rpartition("/")[2], lambda url=url: client.delete_queue(QueueUrl=url))


def _topics(client) -> Iterator[Thing]:
    for one in items(client, "list_topics", "Topics"):
        arn = one["TopicArn"]
        yield Thing(arn.rpartition(":")[2], lambda arn=arn: client.delete_topic(TopicArn=arn), arn=arn)


def _streams(client) -> Iterator[Thing]:
    for name in items(client, "list_streams", "StreamNames"):
        found = looked_at(client.describe_stream_summary, StreamName=name).get("StreamDescriptionSummary", {})
        yield Thing(
            name,
            lambda name=name: client.delete_stream(StreamName=name, EnforceConsumerDeletion=True),
            arn=found.get("StreamARN", ""),
            going=found.get("StreamStatus") == "DELETING",
        )


QUEUES = Listing("queue", "sqs", _queues, "/sqs/v3/home?region={region}#/queues")
TOPICS = Listing("topic", "sns", _topics, "/sns/v3/home?region={region}#/topics")
STREAMS = Listing("stream", "kinesis", _streams, "/kinesis/home?region={region}#/streams/details/{name}/monitoring")
