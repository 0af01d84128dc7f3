"""The same as deploy.py, by CDK."""

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_lambda as lambda_
from aws_cdk.aws_lambda_event_sources import SqsDlq

from cloudkata.cdk.stack import LabStack

SHARDS = 3  # 2.6 MB a second come in, and a shard takes 1 MB
READING = {
    "dynamodb": ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"),
    "kinesis": ("DescribeStream", "DescribeStreamSummary", "GetRecords", "GetShardIterator", "ListShards"),
}


class Solution(LabStack):
    def build(self):
        orders = self.table("orders", "id", stream=dynamodb.StreamViewType.NEW_IMAGE)
        projection, readings = self.table("projection", "id"), self.table("meters", "id")
        stream = kinesis.Stream(
            self,
            "readings",
            stream_name=self.name("readings"),
            shard_count=SHARDS,
            encryption=kinesis.StreamEncryption.MANAGED,
        )
        queue = self.queue("failures")
        self.justify(queue, "SQS3", "It is where Lambda puts what failed, and nothing consumes it.")
        projector = self.reader("projector", "dynamodb", orders.table_stream_arn, projection, queue)
        meter = self.reader("meter", "kinesis", stream.stream_arn, readings, queue)
        self.output("OrdersTable", orders.table_name)
        self.output("ProjectionTable", projection.table_name)
        self.output("StreamName", stream.stream_name)
        self.output("MeterTable", readings.table_name)
        self.output("ProjectorFunction", projector.function_name)
        self.output("MeterFunction", meter.function_name)
        self.output("FailuresQueueUrl", queue.queue_url)
        self.once(
            "open_shop",
            [orders.table_name, stream.stream_name],
            [
                iam.PolicyStatement(actions=["dynamodb:PutItem"], resources=[orders.table_arn]),
                iam.PolicyStatement(actions=["kinesis:PutRecord"], resources=[stream.stream_arn]),
            ],
        )

    def reader(self, base, service, source_arn, table, queue):
        """A function that writes to a table what Lambda reads for it from a stream, and the mapping between them."""
        role = self.role(
            base,
            [
                iam.PolicyStatement(actions=[f"{service}:{one}" for one in READING[service]], resources=[source_arn]),
                iam.PolicyStatement(actions=["dynamodb:UpdateItem"], resources=[table.table_arn]),
                iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[queue.queue_arn]),
            ],
        )
        function = self.function(
            base,
            handler=f"{base}.handler",
            code=self.package("app"),
            role=role,
            memory_size=256,
            timeout=Duration.seconds(30),
            environment={"TABLE": table.table_name},
        )
        lambda_.EventSourceMapping(
            self,
            f"{base}-mapping",
            target=function,
            event_source_arn=source_arn,
            batch_size=100,
            starting_position=lambda_.StartingPosition.TRIM_HORIZON,
            retry_attempts=2,  # three tries in all
            bisect_batch_on_error=True,
            on_failure=SqsDlq(queue),
            report_batch_item_failures=True,
        )
        return function
