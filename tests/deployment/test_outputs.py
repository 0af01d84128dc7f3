"""Outputs are claims: each is looked up before anything is graded."""

import io
import zipfile

import pytest

from cloudkata.deployment.outputs import OutputError, verify
from cloudkata.targets.embedded import EmbeddedTarget

KINDS = {"AliasArn": "alias-arn"}


@pytest.fixture(scope="module")
def session():
    """A session with the function `greeter`, whose aliases are `live` and `other`."""
    with EmbeddedTarget() as target:
        made = target.session("01")
        role = made.client("iam", made.learner).create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        functions = made.client("lambda", made.learner)
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("app.py", "def handler(event, context):\n    return 1\n")
        for name in (f"{made.prefix}-greeter", "kata01-ffff-greeter"):
            functions.create_function(
                FunctionName=name,
                Runtime="python3.13",
                Handler="app.handler",
                Role=role,
                Code={"ZipFile": buffer.getvalue()},
                Publish=True,
            )
            for alias in ("live", "other"):
                functions.create_alias(FunctionName=name, Name=alias, FunctionVersion="1")
        yield made


def arn(session, function="", alias="live", account="", region=""):
    owner = f"{region or session.region}:{account or session.account}"
    return f"arn:aws:lambda:{owner}:function:{function or session.prefix + '-greeter'}:{alias}"


def test_the_arn_of_an_alias_is_accepted(session):
    assert verify({"AliasArn": arn(session), "More": "x"}, KINDS, session) == {"AliasArn": arn(session)}


REFUSED = {
    "nothing": (lambda session: "", "is missing"),
    "a name": (lambda session: "live", "is not the ARN of an alias"),
    "the function's ARN": (lambda session: arn(session).rpartition(":")[0], "is not the ARN of an alias"),
    "$LATEST": (lambda session: arn(session, alias="$LATEST"), "is not the ARN of an alias"),
    "a version": (lambda session: arn(session, alias="1"), "is not the ARN of an alias named live"),
    "another alias": (lambda session: arn(session, alias="other"), "is not the ARN of an alias named live"),
    "another account": (lambda session: arn(session, account="123456789012"), "not in this attempt's account"),
    "another Region": (lambda session: arn(session, region="eu-west-1"), "not in this attempt's account and Region"),
    "somebody else's function": (lambda session: arn(session, "kata01-ffff-greeter"), "did not make"),
    "no such function": (lambda session: arn(session, session.prefix + "-ghost"), "there is no such alias"),
    "lines around it": (lambda session: arn(session) + "\n", "is not the ARN of an alias"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_anything_else_is_refused_with_a_sentence(session, name):
    make, said = REFUSED[name]
    with pytest.raises(OutputError, match="AliasArn") as refusal:
        verify({"AliasArn": make(session)}, KINDS, session)
    assert said in str(refusal.value)
