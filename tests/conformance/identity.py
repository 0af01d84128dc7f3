"""What the tests of Cognito share: a user pool with its client, users, functions as triggers, and claims."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass

from support import Account

PASSWORD = "Correct-horse-7"
FLOWS = ("ALLOW_USER_PASSWORD_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH")


@dataclass(frozen=True)
class Pool:
    """A user pool and one app client on it."""

    aws: Account
    id: str
    client_id: str

    @property
    def idp(self):
        return self.aws.client("cognito-idp")

    @property
    def provider(self) -> str:
        return f"cognito-idp.us-east-1.amazonaws.com/{self.id}"

    def user(self, name: str = "ada", *groups: str, **attributes: str) -> str:
        """A confirmed user, as an administrator makes one; the name."""
        given = [{"Name": key, "Value": value} for key, value in attributes.items()]
        self.idp.admin_create_user(UserPoolId=self.id, Username=name, UserAttributes=given, MessageAction="SUPPRESS")
        self.idp.admin_set_user_password(UserPoolId=self.id, Username=name, Password=PASSWORD, Permanent=True)
        for group in groups:
            self.idp.admin_add_user_to_group(UserPoolId=self.id, Username=name, GroupName=group)
        return name

    def sign_up(self, name: str = "ada", email: str = "ada@example.com", **arguments) -> dict:
        return self.idp.sign_up(
            ClientId=self.client_id,
            Username=name,
            Password=PASSWORD,
            UserAttributes=[{"Name": "email", "Value": email}],
            **arguments,
        )

    def initiate(self, name: str = "ada", password: str = PASSWORD, **arguments) -> dict:
        return self.idp.initiate_auth(
            ClientId=self.client_id,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": name, "PASSWORD": password},
            **arguments,
        )

    def sign_in(self, name: str = "ada", password: str = PASSWORD, **arguments) -> dict:
        """The tokens of a user."""
        return self.initiate(name, password, **arguments)["AuthenticationResult"]


def make_pool(aws: Account, triggers: dict | None = None, client: dict | None = None, **settings) -> Pool:
    """A user pool with one public client; `triggers` is its LambdaConfig."""
    idp = aws.client("cognito-idp")
    pool = idp.create_user_pool(PoolName="people", LambdaConfig=triggers or {}, **settings)["UserPool"]["Id"]
    arguments = {"ExplicitAuthFlows": list(FLOWS)} | (client or {})
    made = idp.create_user_pool_client(UserPoolId=pool, ClientName="app", **arguments)
    return Pool(aws, pool, made["UserPoolClient"]["ClientId"])


def trigger(aws: Account, body: str, name: str = "trigger", *, permitted: bool = True) -> str:
    """The ARN of a function whose handler has `body` between `event` and `return event`; Cognito may call it."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    source = (
        f"import json\ndef handle(event, context):\n    print('EVENT', json.dumps(event))\n{lines}    return event\n"
    )
    aws.function(source, name)
    if permitted:
        aws.lambda_.add_permission(
            FunctionName=name,
            StatementId="cognito",
            Action="lambda:InvokeFunction",
            Principal="cognito-idp.amazonaws.com",
        )
    return aws.lambda_.get_function_configuration(FunctionName=name)["FunctionArn"]


def events(aws: Account, name: str = "trigger") -> list[dict]:
    """Every event that a trigger was called with, oldest first."""
    logs = aws.client("logs")
    try:
        found = logs.filter_log_events(logGroupName=f"/aws/lambda/{name}", filterPattern="EVENT")["events"]
    except logs.exceptions.ResourceNotFoundException:
        return []
    lines = [event["message"] for event in found]
    return [json.loads(line.partition("EVENT ")[2]) for line in lines if line.startswith("EVENT ")]


def claims(token: str) -> dict:
    """What a token says, its signature not looked at."""
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
