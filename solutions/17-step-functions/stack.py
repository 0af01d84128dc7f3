"""The same as deploy.py, by CDK."""

import json

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as states

from cloudkata.cdk.stack import LabStack

HANDLERS = {
    "charge": "payments.charge",
    "refund": "payments.refund",
    "reserve": "warehouse.reserve",
    "release": "warehouse.release",
    "ship": "courier.ship",
}


class Solution(LabStack):
    def build(self):
        table, queue = self.table("orders", "orderId"), self.queue("approvals")
        self.justify(queue, "SQS3", "A message is a question to a clerk; nothing consumes it but a check.")
        functions = self.functions(table)
        role = self.workflow_role(table, queue, functions)
        places = {f"{word.capitalize()}Function": made.function_arn for word, made in functions.items()}
        places |= {"OrdersTable": table.table_name, "ApprovalQueueUrl": queue.queue_url}
        orders = states.StateMachine(
            self,
            "orders-machine",
            state_machine_name=self.name("orders"),
            definition_body=self.definition("workflow.asl.json"),
            definition_substitutions=places,
            role=role,
        )
        group = logs.LogGroup(self, "logs", log_group_name=f"/aws/vendedlogs/states/{self.name('quotes')}")
        quotes = states.StateMachine(
            self,
            "quotes-machine",
            state_machine_name=self.name("quotes"),
            state_machine_type=states.StateMachineType.EXPRESS,
            definition_body=self.definition("quote.asl.json"),
            role=role,
            logs=states.LogOptions(destination=group, level=states.LogLevel.ALL, include_execution_data=True),
        )
        self.justify(orders, "SF1", "A Standard execution has its history in the service itself.")
        for machine in (orders, quotes):
            self.justify(machine, "SF2", "The course looks at histories and logs; X-Ray is not in it.")
        self.justify(role, "IAM5[Resource::*]", "Log delivery has no resources of its own: AWS documents a star.")
        self.output("OrdersTable", table.table_name)
        self.output("ApprovalQueueUrl", queue.queue_url)
        self.output("StateMachineArn", orders.state_machine_arn)
        self.output("ExpressStateMachineArn", quotes.state_machine_arn)

    def definition(self, file):
        """A definition of the solution; CloudFormation puts what is deployed in the place of each ${Name}."""
        text = (self.place.folder / file).read_text(encoding="utf-8")
        return states.DefinitionBody.from_string(json.dumps(json.loads(text)))

    def functions(self, table):
        """The functions by the word they are named after."""
        allow = [iam.PolicyStatement(actions=["dynamodb:UpdateItem"], resources=[table.table_arn])]
        role = self.role("functions", allow)
        return {
            word: self.function(
                word,
                handler=handler,
                code=self.package("app"),
                role=role,
                memory_size=256,
                timeout=Duration.seconds(20),
                environment={"ORDERS_TABLE": table.table_name},
            )
            for word, handler in HANDLERS.items()
        }

    def workflow_role(self, table, queue, functions):
        """What both state machines may do."""
        arns = [made.function_arn for made in functions.values()]
        allow = [
            iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=arns),
            iam.PolicyStatement(actions=["dynamodb:PutItem", "dynamodb:UpdateItem"], resources=[table.table_arn]),
            iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[queue.queue_arn]),
        ]
        return self.role("workflow", allow, services=("states",))
