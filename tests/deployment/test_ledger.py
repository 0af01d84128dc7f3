"""What learner code changed is told by the front door, not by the code."""

import pytest

from cloudkata.deployment.learner import deploy
from cloudkata.targets.embedded import EmbeddedTarget

CODE = """
def deploy(lab):
    lab.role("r")
    tables = lab.client("dynamodb")
    tables.list_tables()
    settings = {
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST",
    }
    tables.create_table(TableName=lab.name("one"), **settings)
    tables.describe_table(TableName=lab.name("one"))
    lab.client("lambda").create_function(
        FunctionName=lab.name("f"), Runtime="python3.13", Handler="a.b", Role="arn:aws:iam::1:role/x", Code={"ZipFile": b""}
    )
"""


@pytest.fixture(scope="module")
def deployment(tmp_path_factory):
    folder = tmp_path_factory.mktemp("base") / "lab"
    folder.mkdir()
    (folder / "deploy.py").write_text(CODE)
    with EmbeddedTarget() as target:
        yield deploy(folder, target.session("00"))


def test_calls_that_change_something_are_kept_in_order(deployment):
    made = [(call.service, call.operation) for call in deployment.calls]
    assert made == [
        ("iam", "CreateRole"),
        ("iam", "PutRolePolicy"),
        ("dynamodb", "CreateTable"),
        ("lambda", "POST /2015-03-31/functions"),
    ]


def test_a_refused_call_shows_its_status(deployment):
    assert deployment.error
    assert [call.status for call in deployment.calls][:3] == [200, 200, 200]
    assert 400 <= deployment.calls[-1].status < 500
