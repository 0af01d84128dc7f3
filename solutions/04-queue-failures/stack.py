"""The same as deploy.py, by CDK."""

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs

from cloudkata.cdk.stack import LabStack

TIMEOUT = Duration.seconds(10)  # a worker may take for a batch
VISIBILITY = Duration.seconds(60)  # six times that is what AWS recommends for the queue


class Solution(LabStack):
    def build(self):
        table = self.table("results", "pk")
        dead = self.queue("dead")
        orders = self.queue(
            "orders",
            visibility_timeout=VISIBILITY,
            dead_letter_queue=sqs.DeadLetterQueue(queue=dead, max_receive_count=5),
        )
        turns = self.queue(
            "turns", suffix=".fifo", fifo=True, content_based_deduplication=True, visibility_timeout=VISIBILITY
        )
        self.justify(turns, "SQS3", "A group that fails stops, and is to wait for whoever mends it: that is the task.")
        role = self.role(
            "worker",
            [
                iam.PolicyStatement(
                    actions=["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
                    resources=[orders.queue_arn, turns.queue_arn],
                ),
                iam.PolicyStatement(actions=["dynamodb:GetItem", "dynamodb:UpdateItem"], resources=[table.table_arn]),
            ],
        )
        worker, fifo_worker = (
            self.function(
                name,
                handler=handler,
                code=self.package("app", requirements=("aws-lambda-powertools",)),
                role=role,
                timeout=TIMEOUT,
                memory_size=512,
                environment={"RESULTS_TABLE": table.table_name},
            )
            for name, handler in (("worker", "worker.handler"), ("fifo-worker", "worker.fifo_handler"))
        )
        lambda_.EventSourceMapping(
            self,
            "orders-mapping",
            target=worker,
            event_source_arn=orders.queue_arn,
            batch_size=5,
            max_batching_window=Duration.seconds(2),
            report_batch_item_failures=True,
        )
        lambda_.EventSourceMapping(
            self,
            "turns-mapping",
            target=fifo_worker,
            event_source_arn=turns.queue_arn,
            report_batch_item_failures=True,
        )
        self.output("QueueUrl", orders.queue_url)
        self.output("DlqUrl", dead.queue_url)
        self.output("FifoQueueUrl", turns.queue_url)
        self.output("WorkerFunction", worker.function_name)
        self.output("FifoWorkerFunction", fifo_worker.function_name)
        self.output("ResultsTable", table.table_name)
