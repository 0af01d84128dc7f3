"""Variables of a policy stand for what is known of the caller."""

import json

import boto3
import pytest
from botocore.config import Config
from support import refusal

pytestmark = [
    pytest.mark.behaviour("policy_variables"),
    pytest.mark.not_localstack("LocalStack 4.14 enforces no policy"),
]


def user(aws, statement: dict, name: str = "ada"):
    """An SQS client of a user with one policy statement."""
    iam = aws.client("iam")
    iam.create_user(UserName=name, Tags=[{"Key": "team", "Value": "blue"}])
    document = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    made = boto3.client(
        "sqs",
        region_name="us-east-1",
        endpoint_url=aws.endpoint,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
        config=Config(retries={"max_attempts": 0}),
    )
    aws._clients[("sqs", name)] = made
    return made


def create(sqs, name: str) -> int:
    return refusal(lambda: sqs.create_queue(QueueName=name))[1]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("${aws:username}", "ada"),
        ("${AWS:UserName}", "ada"),
        ("${aws:PrincipalTag/team}", "blue"),
        ("${aws:PrincipalTag/none, 'red'}", "red"),
    ],
)
def test_in_a_resource(aws, variable, value):
    sqs = user(aws, {"Action": "sqs:CreateQueue", "Resource": f"arn:aws:sqs:*:*:{variable}-*"})
    assert (create(sqs, f"{value}-mine"), create(sqs, "bob-mine")) == (200, 403)


def test_in_the_value_of_a_condition(aws):
    condition = {"StringEquals": {"aws:PrincipalTag/team": "${aws:username}"}}
    statement = {"Action": "sqs:CreateQueue", "Resource": "*", "Condition": condition}
    assert (create(user(aws, statement, "blue"), "one"), create(user(aws, statement, "red"), "two")) == (200, 403)


@pytest.mark.ministack
def test_without_a_value_nothing_matches(aws):
    sqs = user(aws, {"Action": "sqs:CreateQueue", "Resource": "arn:aws:sqs:*:*:${aws:PrincipalTag/none}*"})
    assert create(sqs, "mine") == 403
    sqs = user(aws, {"Action": "sqs:CreateQueue", "Resource": "*"}, "bob")
    assert create(sqs, "mine") == 200


@pytest.mark.ministack
def test_in_an_arn_only_after_the_fifth_colon(aws):
    allowed = "arn:aws:sqs:*:${aws:PrincipalAccount}:mine-*"
    sqs = user(aws, {"Action": "sqs:CreateQueue", "Resource": allowed})
    assert create(sqs, "mine-one") == 403
