"""What a target does for Cognito user pools, identity pools and policies."""

from __future__ import annotations

import base64
import json
import secrets

from cloudkata.targets.probes import Bench, probe
from cloudkata.targets.session import Keys

_PASSWORD = "Probe-horse-7"  # noqa: S105 (of a user that lives for a second)
_REFUSES = "def handler(event, context):\n    raise ValueError('not today')\n"


def _pool(bench: Bench, flows: list[str], **settings) -> tuple[str, str]:
    """(a user pool with the user ada, an app client of it)."""
    idp = bench.client("cognito-idp")
    pool = idp.create_user_pool(PoolName=f"{bench.session.prefix}-probe", **settings)["UserPool"]["Id"]
    made = idp.create_user_pool_client(UserPoolId=pool, ClientName="probe", ExplicitAuthFlows=flows)
    return pool, made["UserPoolClient"]["ClientId"]


def _user(bench: Bench, pool: str) -> None:
    idp = bench.client("cognito-idp")
    idp.admin_create_user(UserPoolId=pool, Username="ada", MessageAction="SUPPRESS")
    idp.admin_set_user_password(UserPoolId=pool, Username="ada", Password=_PASSWORD, Permanent=True)


@probe("cognito.triggers", "a trigger of a user pool refuses a sign-up, if its function lets Cognito call it")
def _triggers(bench: Bench):
    name = bench.function(_REFUSES)
    arn = bench.client("lambda").get_function_configuration(FunctionName=name)["FunctionArn"]
    _, client = _pool(bench, [], LambdaConfig={"PreSignUp": arn})

    def sign_up() -> str:
        return bench.refusal(
            lambda: bench.client("cognito-idp").sign_up(ClientId=client, Username="ada", Password=_PASSWORD)
        )

    before = sign_up()
    bench.client("lambda").add_permission(
        FunctionName=name,
        StatementId="probe",
        Action="lambda:InvokeFunction",
        Principal="cognito-idp.amazonaws.com",
    )
    after = sign_up()
    shown = (before, after) == ("UnexpectedLambdaException", "UserLambdaValidationException")
    return shown, f"{before} without the permission, {after} with it"


@probe("cognito.client-flows", "an app client refuses a flow that it was not given")
def _client_flows(bench: Bench):
    pool, client = _pool(bench, ["ALLOW_USER_SRP_AUTH"])
    _user(bench, pool)
    idp = bench.client("cognito-idp")
    given = {"USERNAME": "ada", "PASSWORD": _PASSWORD, "SRP_A": "ab" * 100}

    def start(flow: str, *wanted: str) -> str:
        parameters = {name: given[name] for name in ("USERNAME", *wanted)}
        return bench.refusal(lambda: idp.initiate_auth(ClientId=client, AuthFlow=flow, AuthParameters=parameters))

    found = start("USER_SRP_AUTH", "SRP_A"), start("USER_PASSWORD_AUTH", "PASSWORD")
    return found == ("accepted", "InvalidParameterException"), f"SRP: {found[0]}, password: {found[1]}"


def _trust(pool: str, kind: str) -> str:
    issuer = "cognito-identity.amazonaws.com"
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": issuer},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {
            "StringEquals": {f"{issuer}:aud": pool},
            "ForAnyValue:StringLike": {f"{issuer}:amr": kind},
        },
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@probe("cognito.identity-pool-roles", "an identity pool gives a role to whom it trusts, and guests nothing unless told")
def _identity_pool_roles(bench: Bench):
    identities, iam = bench.client("cognito-identity"), bench.client("iam")
    name = f"{bench.session.prefix}-guests"
    pool = identities.create_identity_pool(IdentityPoolName=name, AllowUnauthenticatedIdentities=True)["IdentityPoolId"]
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_trust(pool, "authenticated"))["Role"]["Arn"]
    identities.set_identity_pool_roles(IdentityPoolId=pool, Roles={"unauthenticated": role})
    identity = identities.get_id(IdentityPoolId=pool)["IdentityId"]

    def ask() -> str:
        return bench.refusal(lambda: identities.get_credentials_for_identity(IdentityId=identity))

    found = [ask()]
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=_trust(pool, "unauthenticated"))
    found.append(ask())
    identities.update_identity_pool(IdentityPoolId=pool, IdentityPoolName=name, AllowUnauthenticatedIdentities=False)
    found.append(ask())
    wanted = ["InvalidIdentityPoolConfigurationException", "accepted", "NotAuthorizedException"]
    return found == wanted, "not trusted, trusted, guests forbidden: " + ", ".join(found)


@probe("iam.policy-variables", "a policy may name the caller with a variable")
def _policy_variables(bench: Bench):
    iam, name = bench.client("iam"), f"probe-{secrets.token_hex(4)}"
    statement = {"Effect": "Allow", "Action": "sqs:CreateQueue", "Resource": "arn:aws:sqs:*:*:${aws:username}-*"}
    iam.create_user(UserName=name)
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=name, PolicyName="probe", PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    sqs = bench.session.client("sqs", Keys(key["AccessKeyId"], key["SecretAccessKey"]))
    found = [bench.refusal(lambda who=who: sqs.create_queue(QueueName=f"{who}-1")) for who in (name, "other")]
    return found[0] == "accepted" and "AccessDenied" in found[1], f"own name: {found[0]}, another: {found[1]}"


@probe("cognito.resign", "a user pool's token can be made to have expired")
def _resign(bench: Bench):
    idp = bench.client("cognito-idp")
    pool = idp.create_user_pool(PoolName=f"{bench.session.prefix}-resign")["UserPool"]["Id"]
    body = json.dumps({"iss": f"https://cognito-idp.{bench.session.region}.amazonaws.com/{pool}", "exp": 2})
    token = f"e30.{base64.urlsafe_b64encode(body.encode()).decode()}.e30"
    made = bench.session.engine.resigned(token, {"exp": 1})  # type: ignore[attr-defined]
    claims = made.split(".")[1]
    found = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    return found["exp"] == 1, "a token that ended in 1970"
