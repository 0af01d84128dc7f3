"""An identity pool gives the credentials of the role that its settings choose; they can do what the role says."""

import base64
import json

import boto3
import pytest
from botocore.config import Config
from identity import Pool, make_pool
from support import refusal

pytestmark = [
    pytest.mark.behaviour("identity_pools"),
    pytest.mark.not_localstack("LocalStack 4.14 has no Cognito identity pools without a token"),
]
AUTHENTICATED, GUESTS = "authenticated", "unauthenticated"


class Identities:
    """An identity pool over a user pool with the user ada."""

    def __init__(self, aws, users: Pool | None = None, **settings) -> None:
        self.aws, self.users = aws, users or make_pool(aws)
        self.api = aws.client("cognito-identity")
        providers = [{"ProviderName": self.users.provider, "ClientId": self.users.client_id}]
        arguments = {"AllowUnauthenticatedIdentities": False, "CognitoIdentityProviders": providers} | settings
        self.id = self.api.create_identity_pool(IdentityPoolName="people", **arguments)["IdentityPoolId"]

    def role(self, name: str, allow: str, amr: str = AUTHENTICATED, pool: str = "") -> str:
        """A role that this pool's identities may assume, and that allows one action; its ARN."""
        iam = self.aws.client("iam")
        conditions = {
            "StringEquals": {"cognito-identity.amazonaws.com:aud": pool or self.id},
            "ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": amr},
        }
        trust = {
            "Effect": "Allow",
            "Principal": {"Federated": "cognito-identity.amazonaws.com"},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": conditions,
        }
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]
        statement = {"Effect": "Allow", "Action": allow, "Resource": "*"}
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy(statement))
        return arn

    def roles(self, mapping: dict | None = None, **roles: str) -> None:
        provider = f"{self.users.provider}:{self.users.client_id}"
        mappings = {provider: mapping} if mapping else {}
        self.api.set_identity_pool_roles(IdentityPoolId=self.id, Roles=roles, RoleMappings=mappings)

    def logins(self, name: str = "ada") -> dict:
        return {"Logins": {self.users.provider: self.users.sign_in(name)["IdToken"]}}

    def ask(self, logins: dict | None = None, **arguments) -> dict:
        """The answer of the enhanced flow: of a guest without logins."""
        logins = logins or {}
        identity = self.api.get_id(IdentityPoolId=self.id, **logins)["IdentityId"]
        return self.api.get_credentials_for_identity(IdentityId=identity, **logins, **arguments)

    def granted(self, logins: dict | None = None, **arguments) -> str:
        """The name of the role whose credentials come back, as STS tells it."""
        keys = self.ask(logins, **arguments)["Credentials"]
        return session(self.aws, "sts", keys).get_caller_identity()["Arn"].split("/")[1]


def policy(statement: dict) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def session(aws, service: str, keys: dict, **changed):
    """A client with temporary credentials."""
    given = {
        "aws_access_key_id": keys["AccessKeyId"],
        "aws_secret_access_key": keys.get("SecretKey") or keys.get("SecretAccessKey"),
        "aws_session_token": keys["SessionToken"],
    } | changed
    made = boto3.client(
        service, region_name="us-east-1", endpoint_url=aws.endpoint, config=Config(retries={"max_attempts": 0}), **given
    )
    aws._clients[(service, len(aws._clients))] = made
    return made


@pytest.fixture
def pool(aws):
    made = Identities(aws)
    made.users.user()
    return made


@pytest.mark.ministack
def test_credentials_do_what_the_role_says_and_no_more(aws, pool):
    pool.roles(authenticated=pool.role("members", "sqs:ListQueues"))
    keys = pool.ask(pool.logins())["Credentials"]
    sqs = session(aws, "sqs", keys)
    assert refusal(sqs.list_queues) == ("", 200)
    assert refusal(lambda: sqs.create_queue(QueueName="q"))[1] == 403
    assert refusal(session(aws, "s3", keys).list_buckets)[1] == 403


@pytest.mark.behaviour("policy_variables")
@pytest.mark.parametrize("flow", ["enhanced", "basic"])
def test_a_policy_may_name_the_identity(aws, flow):
    pool = Identities(aws, AllowClassicFlow=True)
    pool.users.user()
    role = pool.role("members", "sqs:*")
    pool.roles(authenticated=role)
    statement = {
        "Effect": "Allow",
        "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::*/${cognito-identity.amazonaws.com:sub}/*",
    }
    aws.client("iam").put_role_policy(RoleName="members", PolicyName="p", PolicyDocument=policy(statement))
    bucket = f"photos-{aws.number}"
    aws.client("s3").create_bucket(Bucket=bucket)
    if flow == "enhanced":
        found = pool.ask(pool.logins())
    else:
        found = open_id_token(pool)
        found |= {"Credentials": assume(aws, role, found["Token"])["Credentials"]}
    s3 = session(aws, "s3", found["Credentials"])
    put = lambda folder: refusal(lambda: s3.put_object(Bucket=bucket, Key=f"{folder}/1", Body=b"x"))[1]  # noqa: E731
    assert (put(found["IdentityId"]), put("us-east-1:another")) == (200, 403)


@pytest.mark.ministack
@pytest.mark.parametrize(
    "changed", [{"aws_secret_access_key": "x" * 40}, {"aws_session_token": "x" * 120}, {"aws_session_token": None}]
)
def test_credentials_sign_and_nothing_else_does(aws, pool, changed):
    pool.roles(authenticated=pool.role("members", "sqs:ListQueues"))
    keys = pool.ask(pool.logins())["Credentials"]
    assert refusal(session(aws, "sqs", keys).list_queues) == ("", 200)
    assert refusal(session(aws, "sqs", keys, **changed).list_queues)[1] == 403


def test_a_pool_that_forbids_guests_gives_them_nothing(aws, pool):
    pool.roles(authenticated=pool.role("members", "sqs:*"), unauthenticated=pool.role("guests", "sqs:*", GUESTS))
    assert refusal(lambda: pool.api.get_id(IdentityPoolId=pool.id))[0] == "NotAuthorizedException"


def test_a_guest_of_before_gets_nothing_once_guests_are_forbidden(aws):
    pool = Identities(aws, AllowUnauthenticatedIdentities=True)
    pool.roles(unauthenticated=pool.role("guests", "sqs:*", GUESTS))
    identity = pool.api.get_id(IdentityPoolId=pool.id)["IdentityId"]
    get = lambda: pool.api.get_credentials_for_identity(IdentityId=identity)  # noqa: E731
    assert refusal(get) == ("", 200)
    pool.api.update_identity_pool(
        IdentityPoolId=pool.id, IdentityPoolName="people", AllowUnauthenticatedIdentities=False
    )
    assert refusal(get)[0] == "NotAuthorizedException"


@pytest.mark.ministack
def test_guests_and_members_get_their_own_roles(aws):
    pool = Identities(aws, AllowUnauthenticatedIdentities=True)
    pool.users.user()
    pool.roles(authenticated=pool.role("members", "sqs:*"), unauthenticated=pool.role("guests", "sqs:*", GUESTS))
    assert pool.granted() == "guests"
    assert pool.granted(pool.logins()) == "members"


def test_no_role_no_credentials(aws, pool):
    pool.roles()
    code, _ = refusal(lambda: pool.ask(pool.logins()))
    assert code == "InvalidIdentityPoolConfigurationException"


@pytest.mark.parametrize("wrong", [{"amr": GUESTS}, {"pool": "us-east-1:00000000-0000-0000-0000-000000000000"}])
def test_a_role_that_trusts_others_is_not_given(aws, pool, wrong):
    pool.roles(authenticated=pool.role("members", "sqs:*", **wrong))
    code, _ = refusal(lambda: pool.ask(pool.logins()))
    assert code == "InvalidIdentityPoolConfigurationException"


def test_a_role_of_another_account_is_not_given(aws, pool):
    pool.role("members", "sqs:*")
    pool.roles(authenticated="arn:aws:iam::999999999999:role/members")
    code, _ = refusal(lambda: pool.ask(pool.logins()))
    assert code == "InvalidIdentityPoolConfigurationException"


# --- mappings -------------------------------------------------------------------------------------------------------


def grouped(pool: Identities, **roles: str) -> None:
    """The user ada in a group for each role, the first one preferred."""
    for precedence, (name, role) in enumerate(roles.items()):
        pool.users.idp.create_group(UserPoolId=pool.users.id, GroupName=name, RoleArn=role, Precedence=precedence)
        pool.users.idp.admin_add_user_to_group(UserPoolId=pool.users.id, Username="ada", GroupName=name)


def rule(claim: str, match: str, value: str, role: str) -> dict:
    return {"Claim": claim, "MatchType": match, "Value": value, "RoleARN": role}


def rules(*entries: dict, resolution: str = "Deny") -> dict:
    return {
        "Type": "Rules",
        "AmbiguousRoleResolution": resolution,
        "RulesConfiguration": {"Rules": list(entries)},
    }


@pytest.mark.parametrize(
    ("match", "value"), [("Equals", "ada"), ("StartsWith", "ad"), ("Contains", "d"), ("NotEqual", "bob")]
)
def test_the_first_rule_that_matches_chooses(aws, pool, match, value):
    members, editors, last = (pool.role(name, "sqs:*") for name in ("members", "editors", "last"))
    claim = "cognito:username"
    mapping = rules(
        rule(claim, "Equals", "zoe", members), rule(claim, match, value, editors), rule(claim, match, value, last)
    )
    pool.roles(mapping, authenticated=members)
    assert pool.granted(pool.logins()) == "editors"


@pytest.mark.parametrize("resolution", ["AuthenticatedRole", "Deny"])
def test_without_a_match_the_resolution_decides(aws, pool, resolution):
    members, editors = (pool.role(name, "sqs:*") for name in ("members", "editors"))
    mapping = rules(rule("cognito:username", "Equals", "zoe", editors), resolution=resolution)
    pool.roles(mapping, authenticated=members)
    code, _ = refusal(lambda: pool.ask(pool.logins()))
    other = rules(rule("cognito:username", "Equals", "ada", editors), resolution=resolution)
    pool.roles(other, authenticated=members)
    assert (code, pool.granted(pool.logins())) == (
        "" if resolution == "AuthenticatedRole" else "NotAuthorizedException",
        "editors",
    )


def test_a_token_brings_the_role_of_its_first_group(aws, pool):
    members, editors, readers = (pool.role(name, "sqs:*") for name in ("members", "editors", "readers"))
    grouped(pool, editors=editors, readers=readers)
    pool.roles({"Type": "Token", "AmbiguousRoleResolution": "Deny"}, authenticated=members)
    assert pool.granted(pool.logins()) == "editors"


def test_a_token_without_roles_is_left_to_the_resolution(aws, pool):
    pool.roles({"Type": "Token", "AmbiguousRoleResolution": "Deny"}, authenticated=pool.role("members", "sqs:*"))
    assert refusal(lambda: pool.ask(pool.logins()))[0] == "NotAuthorizedException"


def test_a_custom_role_has_to_be_one_of_the_tokens(aws, pool):
    members, editors = (pool.role(name, "sqs:*") for name in ("members", "editors"))
    other = pool.role("other", "sqs:*")
    grouped(pool, members=members, editors=editors)
    pool.roles({"Type": "Token", "AmbiguousRoleResolution": "Deny"}, authenticated=members)
    assert refusal(lambda: pool.ask(pool.logins(), CustomRoleArn=other))[0] == "NotAuthorizedException"
    assert pool.granted(pool.logins(), CustomRoleArn=editors) == "editors"


@pytest.mark.parametrize(
    "mapping",
    [
        {"Type": "Token"},
        {"Type": "Rules", "AmbiguousRoleResolution": "Deny"},
        {"Type": "Groups", "AmbiguousRoleResolution": "Deny"},
    ],
)
def test_a_mapping_that_says_too_little_is_refused(aws, pool, mapping):
    provider = f"{pool.users.provider}:{pool.users.client_id}"
    set_it = lambda: pool.api.set_identity_pool_roles(  # noqa: E731
        IdentityPoolId=pool.id, Roles={}, RoleMappings={provider: mapping}
    )
    assert refusal(set_it)[0] == "InvalidParameterException"


# --- the basic flow -------------------------------------------------------------------------------------------------


def open_id_token(pool: Identities) -> dict:
    logins = pool.logins()
    identity = pool.api.get_id(IdentityPoolId=pool.id, **logins)["IdentityId"]
    return pool.api.get_open_id_token(IdentityId=identity, **logins)


def assume(aws, role: str, token: str):
    sts = aws.client("sts")
    return sts.assume_role_with_web_identity(RoleArn=role, RoleSessionName="s", WebIdentityToken=token)


def test_the_basic_flow_has_to_be_allowed(aws, pool):
    assert refusal(lambda: open_id_token(pool))[0] == "InvalidParameterException"


@pytest.mark.ministack
def test_the_basic_flow_ends_with_sts(aws):
    pool = Identities(aws, AllowClassicFlow=True)
    pool.users.user()
    role = pool.role("members", "sqs:ListQueues")
    keys = assume(aws, role, open_id_token(pool)["Token"])["Credentials"]
    assert refusal(session(aws, "sqs", keys).list_queues) == ("", 200)


def test_sts_believes_no_token_that_is_not_signed_by_its_issuer(aws):
    pool = Identities(aws, AllowClassicFlow=True)
    pool.users.user()
    role = pool.role("members", "sqs:ListQueues")
    head, body, signature = open_id_token(pool)["Token"].split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    other = base64.urlsafe_b64encode(json.dumps({**claims, "sub": "somebody"}).encode()).decode().rstrip("=")
    assert refusal(lambda: assume(aws, role, f"{head}.{body}.{signature}")) == ("", 200)
    assert refusal(lambda: assume(aws, role, f"{head}.{other}.{signature}"))[0] == "InvalidIdentityToken"


@pytest.mark.ministack
def test_only_the_pools_own_user_pool_is_a_login(aws, pool):
    pool.roles(authenticated=pool.role("members", "sqs:*"))
    other = make_pool(aws)
    other.user()
    logins = {"Logins": {other.provider: other.sign_in()["IdToken"]}}
    assert refusal(lambda: pool.ask(logins))[0] == "NotAuthorizedException"
    assert pool.granted(pool.logins()) == "members"


@pytest.mark.ministack
def test_an_access_token_is_no_login(aws, pool):
    pool.roles(authenticated=pool.role("members", "sqs:*"))
    tokens = pool.users.sign_in()
    assert refusal(lambda: pool.ask({"Logins": {pool.users.provider: tokens["AccessToken"]}}))[1] == 400
    assert pool.granted({"Logins": {pool.users.provider: tokens["IdToken"]}}) == "members"
