"""An event source mapping takes a while to become what was asked, and is left alone meanwhile."""

import pytest
from support import eventually, refusal, returning

pytestmark = pytest.mark.behaviour("mapping_states")
IN_USE = "ResourceInUseException"


def mapping(aws, **settings) -> str:
    """Map a new queue to a new function; the mapping's UUID."""
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    aws.function(returning(None))
    policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sqs:*","Resource":"*"}]}'
    aws.client("iam").put_role_policy(RoleName="runs", PolicyName="p", PolicyDocument=policy)
    made = aws.lambda_.create_event_source_mapping(EventSourceArn=arn, FunctionName="f", **settings)
    assert made["State"] == "Creating"
    return made["UUID"]


def state(aws, uuid) -> str:
    return aws.lambda_.get_event_source_mapping(UUID=uuid)["State"]


def reaches(aws, uuid, wanted) -> None:
    eventually(lambda: state(aws, uuid) == wanted)


@pytest.mark.localstack
def test_a_new_mapping_is_creating_before_it_is_enabled(aws):
    reaches(aws, mapping(aws), "Enabled")


@pytest.mark.not_localstack("4.14 shows Disabled at once")
def test_a_new_mapping_may_be_created_disabled(aws):
    reaches(aws, mapping(aws, Enabled=False), "Disabled")


@pytest.mark.not_localstack("4.14 takes a change in the middle of another")
def test_a_mapping_that_is_being_created_is_not_changed(aws):
    uuid = mapping(aws)
    assert refusal(lambda: aws.lambda_.update_event_source_mapping(UUID=uuid, BatchSize=1))[0] == IN_USE
    assert refusal(lambda: aws.lambda_.delete_event_source_mapping(UUID=uuid))[0] == IN_USE


_HAS = pytest.mark.localstack
_LACKS = pytest.mark.not_localstack("4.14 shows no Enabling, nor what was created Disabled")


@pytest.mark.parametrize(
    "first, change, during, after",
    [
        pytest.param(True, {"BatchSize": 5}, "Updating", "Enabled", marks=_HAS),
        pytest.param(True, {"Enabled": False}, "Disabling", "Disabled", marks=_HAS),
        pytest.param(False, {"Enabled": True}, "Enabling", "Enabled", marks=_LACKS),
    ],
)
def test_a_change_shows_until_it_is_done(aws, first, change, during, after):
    uuid = mapping(aws, Enabled=first)
    reaches(aws, uuid, "Enabled" if first else "Disabled")
    assert aws.lambda_.update_event_source_mapping(UUID=uuid, **change)["State"] == during
    reaches(aws, uuid, after)


@pytest.mark.localstack
def test_a_deleted_mapping_is_deleting_before_it_is_gone(aws):
    uuid = mapping(aws)
    reaches(aws, uuid, "Enabled")
    assert aws.lambda_.delete_event_source_mapping(UUID=uuid)["State"] == "Deleting"
    eventually(lambda: refusal(lambda: aws.lambda_.get_event_source_mapping(UUID=uuid))[0])
    assert refusal(lambda: aws.lambda_.get_event_source_mapping(UUID=uuid)) == ("ResourceNotFoundException", 404)
