"""A function is Pending before it is Active, and keeps serving what it was while it is updated."""

import json

import pytest
from support import archive, eventually, refusal, returning

pytestmark = pytest.mark.behaviour("function_states")
CONFLICT = ("ResourceConflictException", 409)
VARIABLE = "import os\ndef handle(event, context):\n    return os.environ.get('COLOUR')\n"


@pytest.mark.localstack
def test_a_pending_function_cannot_be_invoked(aws):
    assert aws.create(returning("one"))["State"] == "Pending"
    assert refusal(lambda: aws.lambda_.invoke(FunctionName="f")) == CONFLICT


@pytest.mark.not_localstack("4.14 fails with an internal error for one and accepts the other")
def test_a_pending_function_cannot_be_changed(aws):
    aws.create(returning("one"))
    assert refusal(lambda: aws.lambda_.update_function_configuration(FunctionName="f", Timeout=5)) == CONFLICT
    code = archive(returning("two"))
    assert refusal(lambda: aws.lambda_.update_function_code(FunctionName="f", ZipFile=code)) == CONFLICT


@pytest.mark.not_localstack("4.14 publishes a Pending function")
def test_a_pending_function_cannot_be_published(aws):
    aws.create(returning("one"))
    assert refusal(lambda: aws.lambda_.publish_version(FunctionName="f")) == CONFLICT
    aws.settled()
    assert aws.publish() == "1"


@pytest.mark.localstack
def test_an_update_leaves_the_function_active(aws):
    aws.function(returning("one"))
    answer = aws.lambda_.update_function_code(FunctionName="f", ZipFile=archive(returning("two")))
    assert (answer["State"], answer["LastUpdateStatus"]) == ("Active", "InProgress")
    assert aws.settled()["LastUpdateStatus"] == "Successful"


@pytest.mark.not_localstack("4.14 changes the function at once")
def test_an_update_serves_the_previous_code_until_it_is_successful(aws):
    aws.function(returning("one"))
    aws.lambda_.update_function_code(FunctionName="f", ZipFile=archive(returning("two")))
    during = aws.invoke()
    still = aws.lambda_.get_function_configuration(FunctionName="f")["LastUpdateStatus"]
    assert (during.payload, still) == ("one", "InProgress")
    aws.settled()
    assert aws.invoke().payload == "two"


@pytest.mark.not_localstack("4.14 changes the function at once")
def test_an_update_serves_the_previous_variables_until_it_is_successful(aws):
    aws.function(VARIABLE, Environment={"Variables": {"COLOUR": "red"}})
    assert aws.invoke().payload == "red"
    aws.lambda_.update_function_configuration(FunctionName="f", Environment={"Variables": {"COLOUR": "blue"}})
    assert aws.invoke().payload == "red"
    aws.settled()
    assert aws.invoke().payload == "blue"


@pytest.mark.not_localstack("4.14 mostly starts environments anew at once")
def test_an_update_leaves_a_warm_environment_in_service(aws):
    counting = "count = 0\ndef handle(event, context):\n    global count\n    count += 1\n    return count\n"
    aws.function(counting)
    aws.invoke()
    aws.lambda_.update_function_configuration(FunctionName="f", Timeout=9)
    assert aws.invoke().payload == 2
    aws.settled()
    assert aws.invoke().payload == 1


@pytest.mark.localstack
def test_a_second_update_during_one_is_refused(aws):
    aws.function(returning("one"))
    aws.lambda_.update_function_code(FunctionName="f", ZipFile=archive(returning("two")))
    assert refusal(lambda: aws.lambda_.update_function_configuration(FunctionName="f", Timeout=5)) == CONFLICT
    aws.settled()
    assert refusal(lambda: aws.lambda_.update_function_configuration(FunctionName="f", Timeout=5)) == ("", 200)


@pytest.mark.not_localstack("4.14 is done with the update too soon to refuse anything")
def test_publishing_during_an_update_is_refused(aws):
    aws.function(returning("one"))
    aws.lambda_.update_function_code(FunctionName="f", ZipFile=archive(returning("two")))
    assert refusal(lambda: aws.lambda_.publish_version(FunctionName="f")) == CONFLICT


@pytest.mark.localstack
def test_creating_with_publish_makes_version_one_that_is_not_published_again(aws):
    assert aws.create(returning("one"), Publish=True)["Version"] == "1"
    aws.settled()
    assert aws.lambda_.publish_version(FunctionName="f")["Version"] == "1"
    assert aws.invoke(Qualifier="1").payload == "one"


@pytest.mark.localstack
def test_updating_with_publish_publishes_the_new_code(aws):
    aws.function(returning("one"), Publish=True)
    code = archive(returning("two"))
    answer = aws.lambda_.update_function_code(FunctionName="f", ZipFile=code, Publish=True)
    assert (answer["Version"], answer["FunctionArn"].rpartition(":")[2]) == ("2", "2")
    aws.settled()
    eventually(lambda: aws.lambda_.get_function_configuration(FunctionName="f", Qualifier="2")["State"] == "Active")
    assert [aws.invoke(Qualifier=number).payload for number in "12"] == ["one", "two"]


@pytest.mark.localstack
def test_a_mapped_queue_waits_for_a_pending_function(aws):
    """The message is delivered once, after the creation, and not lost to the refusal that Invoke gets."""
    sqs = aws.client("sqs")
    queue = sqs.create_queue(QueueName="q")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sqs.send_message(QueueUrl=queue, MessageBody="hello")
    source = (
        "import time\nloaded = time.time()\n"
        "def handle(event, context):\n"
        "    print('got', [r['attributes']['ApproximateReceiveCount'] for r in event.get('Records', [])])\n"
    )
    aws.allow("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "logs:*")
    aws.create(source)
    refused = refusal(lambda: aws.lambda_.invoke(FunctionName="f"))
    aws.lambda_.create_event_source_mapping(FunctionName="f", EventSourceArn=arn)
    attributes = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    eventually(
        lambda: set(sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=attributes)["Attributes"].values()) == {"0"}
    )
    lines = aws.client("logs").filter_log_events(logGroupName="/aws/lambda/f")["events"]
    assert refused == CONFLICT
    assert [line["message"].strip() for line in lines if line["message"].startswith("got")] == ["got ['1']"]


@pytest.mark.ministack
@pytest.mark.localstack
def test_a_stack_changes_code_and_settings_in_one_update(aws):
    """CloudFormation waits for each change; when the stack is complete the new code serves."""
    aws.role()
    cloudformation = aws.client("cloudformation")

    def template(value: str) -> str:
        code = f"import os\ndef handle(event, context):\n    return ['{value}', os.environ['COLOUR']]\n"
        properties = {
            "FunctionName": "f",
            "Runtime": "python3.12",
            "Handler": "index.handle",
            "Role": aws.role(),
            "Code": {"ZipFile": code},
            "Environment": {"Variables": {"COLOUR": value}},
        }
        return json.dumps({"Resources": {"F": {"Type": "AWS::Lambda::Function", "Properties": properties}}})

    def complete() -> str:
        status = cloudformation.describe_stacks(StackName="s")["Stacks"][0]["StackStatus"]
        return "" if "IN_PROGRESS" in status else status

    cloudformation.create_stack(StackName="s", TemplateBody=template("red"))
    assert eventually(complete) == "CREATE_COMPLETE"
    assert aws.invoke().payload == ["red", "red"]
    cloudformation.update_stack(StackName="s", TemplateBody=template("blue"))
    assert eventually(complete) == "UPDATE_COMPLETE"
    assert aws.invoke().payload == ["blue", "blue"]
