"""Outputs that name something of Cognito, IAM or S3 are looked up before they count."""

from __future__ import annotations

import json

import pytest

from cloudkata.deployment.outputs import OutputError, verify
from cloudkata.targets.embedded import EmbeddedTarget

TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}


def made(session, prefix: str) -> dict[str, str]:
    """Something of each kind whose name starts with `prefix`, by the kind."""
    idp, identities = (
        session.client("cognito-idp", session.learner),
        session.client("cognito-identity", session.learner),
    )
    pool = idp.create_user_pool(PoolName=f"{prefix}-people")["UserPool"]["Id"]
    client = idp.create_user_pool_client(UserPoolId=pool, ClientName="app")["UserPoolClient"]["ClientId"]
    identity_pool = identities.create_identity_pool(
        IdentityPoolName=f"{prefix}-people", AllowUnauthenticatedIdentities=False
    )["IdentityPoolId"]
    document = json.dumps({"Version": "2012-10-17", "Statement": [TRUST]})
    role = session.client("iam", session.learner).create_role(
        RoleName=f"{prefix}-role", AssumeRolePolicyDocument=document
    )
    session.client("s3", session.learner).create_bucket(Bucket=f"{prefix}-photos")
    return {
        "user-pool-id": pool,
        "user-pool-client-id": client,
        "identity-pool-id": identity_pool,
        "role-arn": role["Role"]["Arn"],
        "bucket-name": f"{prefix}-photos",
    }


@pytest.fixture(scope="module")
def target():
    with EmbeddedTarget() as running:
        yield running


@pytest.fixture(scope="module")
def session(target):
    return target.session("11")


@pytest.fixture(scope="module")
def own(session):
    return made(session, session.prefix)


KINDS = ("user-pool-id", "user-pool-client-id", "identity-pool-id", "role-arn", "bucket-name")


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_there_counts(session, own, kind):
    assert verify({"It": own[kind]}, {"It": kind}, session) == {"It": own[kind]}


@pytest.mark.parametrize("kind", KINDS)
def test_what_has_another_shape_is_refused(session, kind):
    with pytest.raises(OutputError, match="the output It is not"):
        verify({"It": "no such thing!"}, {"It": kind}, session)


def test_what_is_not_there_is_refused(session, own):
    gone = {
        "user-pool-id": "us-east-1_AAAAAAAAA",
        "user-pool-client-id": "a" * 26,
        "identity-pool-id": "us-east-1:00000000-0000-0000-0000-000000000000",
        "role-arn": own["role-arn"] + "x",
        "bucket-name": own["bucket-name"] + "x",
    }
    for kind, value in gone.items():
        with pytest.raises(OutputError, match=r"no such|no user pool has"):
            verify({"It": value}, {"It": kind}, session)


def test_what_the_attempt_did_not_name_is_refused(session):
    for kind, value in made(session, "other").items():
        with pytest.raises(OutputError, match="did not make"):
            verify({"It": value}, {"It": kind}, session)


def test_what_belongs_to_another_account_is_refused(target, own):
    stranger = target.session("11")
    for kind, value in own.items():
        with pytest.raises(OutputError):
            verify({"It": value}, {"It": kind}, stranger)
