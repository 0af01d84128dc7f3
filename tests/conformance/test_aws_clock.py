"""The timers of services follow the engine's clock."""

import json
import time

import pytest
from support import eventually

pytestmark = [
    pytest.mark.behaviour("aws_clock"),
    pytest.mark.not_localstack("LocalStack has no clock that can be moved"),
]


def receive(sqs, url, **options):
    return sqs.receive_message(QueueUrl=url, **options).get("Messages", [])


def test_a_message_comes_back_when_its_visibility_timeout_has_passed(clocked):
    sqs = clocked.client("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="x")
    assert receive(sqs, url, VisibilityTimeout=600)
    clocked.engine.advance(590)
    assert not receive(sqs, url)
    clocked.engine.advance(10)
    assert receive(sqs, url)


def test_a_delayed_message_appears_when_its_delay_has_passed(clocked):
    sqs = clocked.client("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="x", DelaySeconds=900)
    assert not receive(sqs, url)
    clocked.engine.advance(900)
    assert receive(sqs, url)


def test_the_factor_makes_a_wait_shorter(clocked):
    clocked.engine.set_factor(10)
    sqs = clocked.client("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="x")
    began = time.monotonic()
    assert receive(sqs, url, VisibilityTimeout=10)
    eventually(lambda: receive(sqs, url))
    took = time.monotonic() - began
    assert 0.8 < took < 5, f"ten seconds of AWS time took {took:.1f} s"


def test_a_workflow_waits_on_the_clock_and_its_history_shows_aws_time(clocked):
    states, iam = clocked.client("stepfunctions"), clocked.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="w", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    definition = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 7200, "End": True}}}
    machine = states.create_state_machine(name="m", roleArn=role, definition=json.dumps(definition))["stateMachineArn"]
    run = states.start_execution(stateMachineArn=machine)["executionArn"]
    eventually(lambda: len(states.get_execution_history(executionArn=run)["events"]) >= 2)
    assert states.describe_execution(executionArn=run)["status"] == "RUNNING"
    clocked.engine.advance(7200)
    until = time.monotonic() + 5
    while (found := states.describe_execution(executionArn=run))["status"] == "RUNNING" and time.monotonic() < until:
        pass
    assert found["status"] == "SUCCEEDED"
    assert (found["stopDate"] - found["startDate"]).total_seconds() >= 7200


def test_an_item_goes_when_its_time_to_live_has_passed(clocked):
    dynamodb = clocked.client("dynamodb")
    dynamodb.create_table(
        TableName="items",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    dynamodb.update_time_to_live(
        TableName="items", TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires"}
    )
    expires = str(int(clocked.engine.status()["now"]) + 3600)
    dynamodb.put_item(TableName="items", Item={"pk": {"S": "1"}, "expires": {"N": expires}})

    def there():
        return "Item" in dynamodb.get_item(TableName="items", Key={"pk": {"S": "1"}})

    clocked.engine.advance(1800)
    assert there()
    clocked.engine.advance(1900)
    until = time.monotonic() + 5
    while there() and time.monotonic() < until:
        pass
    assert not there()
