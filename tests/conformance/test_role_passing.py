"""Who may hand a role to a service, and which roles may be made."""

import json

import boto3
import pytest
from botocore.config import Config
from support import archive, message, refusal

pytestmark = [
    pytest.mark.behaviour("role_passing"),
    pytest.mark.not_localstack("LocalStack 4.14 enforces no policy"),
]
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)
MACHINE = json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}})


def someone(aws, *statements: dict):
    """Makes clients for a user who is allowed `statements`."""
    iam = aws.client("iam")
    iam.create_user(UserName="ada")
    allowed = [{"Effect": "Allow", "Resource": "*", **one} for one in statements]
    document = json.dumps({"Version": "2012-10-17", "Statement": allowed})
    iam.put_user_policy(UserName="ada", PolicyName="p", PolicyDocument=document)
    key = iam.create_access_key(UserName="ada")["AccessKey"]

    def client(service: str):
        made = boto3.client(
            service,
            region_name="us-east-1",
            endpoint_url=aws.endpoint,
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
            config=Config(retries={"max_attempts": 0}),
        )
        aws._clients[(service, "ada")] = made
        return made

    return client


def create(client, role: str):
    code = {"ZipFile": archive({"a.py": ""})}
    return client("lambda").create_function(FunctionName="f", Runtime="python3.13", Handler="a.b", Role=role, Code=code)


def making_a_function(client, role: str) -> tuple[str, int]:
    return refusal(lambda: create(client, role))


def boundary(aws) -> str:
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    return aws.client("iam").create_policy(PolicyName="b", PolicyDocument=json.dumps(document))["Policy"]["Arn"]


def test_a_function_takes_a_role_that_may_be_passed(aws):
    role = aws.role()
    client = someone(aws, {"Action": "lambda:CreateFunction"})
    assert making_a_function(client, role) == ("AccessDeniedException", 403)


@pytest.mark.ministack
def test_with_the_permission_it_does(aws):
    role = aws.role()
    client = someone(aws, {"Action": "lambda:CreateFunction"}, {"Action": "iam:PassRole", "Resource": role})
    assert making_a_function(client, role)[1] == 201


def test_the_refusal_names_the_role(aws):
    role = aws.role()
    client = someone(aws, {"Action": "lambda:CreateFunction"})
    said = message(lambda: create(client, role))
    assert f"user/ada is not authorized to perform: iam:PassRole on resource: {role}" in said


def test_a_role_may_be_passed_to_one_service_only(aws):
    role = aws.role()
    to_states = {"StringEquals": {"iam:PassedToService": "states.amazonaws.com"}}
    client = someone(
        aws,
        {"Action": ["lambda:CreateFunction", "states:CreateStateMachine"]},
        {"Action": "iam:PassRole", "Resource": role, "Condition": to_states},
    )
    machine = refusal(lambda: client("stepfunctions").create_state_machine(name="m", definition=MACHINE, roleArn=role))
    assert (making_a_function(client, role)[1], machine[1]) == (403, 200)


def test_a_function_changes_to_a_role_that_may_be_passed(aws):
    first, second = aws.role(), aws.role("other")
    client = someone(
        aws,
        {"Action": ["lambda:CreateFunction", "lambda:UpdateFunctionConfiguration", "lambda:GetFunctionConfiguration"]},
        {"Action": "iam:PassRole", "Resource": first},
    )
    assert making_a_function(client, first)[1] == 201
    aws.settled("f")
    change = refusal(lambda: client("lambda").update_function_configuration(FunctionName="f", Role=second))
    assert change == ("AccessDeniedException", 403)


def test_roles_of_an_identity_pool_must_be_passed(aws):
    pool = aws.client("cognito-identity").create_identity_pool(
        IdentityPoolName="p", AllowUnauthenticatedIdentities=True
    )["IdentityPoolId"]
    role = aws.role()
    client = someone(aws, {"Action": "cognito-identity:SetIdentityPoolRoles"})
    set_roles = refusal(
        lambda: client("cognito-identity").set_identity_pool_roles(IdentityPoolId=pool, Roles={"unauthenticated": role})
    )
    assert set_roles[1] == 403


BOUND = {"StringEquals": {"iam:PermissionsBoundary": "BOUNDARY"}}


def maker(aws):
    """(IAM as somebody who may make and change roles with the boundary alone, the boundary)."""
    arn = boundary(aws)
    condition = json.loads(json.dumps(BOUND).replace("BOUNDARY", arn))
    client = someone(aws, {"Action": ["iam:CreateRole", "iam:PutRolePolicy"], "Condition": condition})
    return client("iam"), arn


def test_a_role_with_the_boundary_may_be_made_and_none_without(aws):
    iam, arn = maker(aws)
    without = refusal(lambda: iam.create_role(RoleName="one", AssumeRolePolicyDocument=TRUST))
    bound = refusal(lambda: iam.create_role(RoleName="two", AssumeRolePolicyDocument=TRUST, PermissionsBoundary=arn))
    assert (without, bound[1]) == (("AccessDenied", 403), 200)


def test_the_policies_of_roles_with_the_boundary_may_be_changed_and_no_others(aws):
    iam, arn = maker(aws)
    aws.role("free")
    aws.client("iam").create_role(RoleName="bound", AssumeRolePolicyDocument=TRUST, PermissionsBoundary=arn)
    document = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
    codes = [
        refusal(lambda role=role: iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=document))[1]
        for role in ("free", "bound")
    ]
    assert codes == [403, 200]
