"""Outputs that name an API by its URL or a layer version by its ARN are looked up before they count."""

from __future__ import annotations

import dataclasses
import io
import zipfile

import pytest

from cloudkata.deployment.outputs import OutputError, verify
from cloudkata.targets.embedded import EmbeddedTarget


@pytest.fixture(scope="module")
def target():
    with EmbeddedTarget() as running:
        yield running


@pytest.fixture(scope="module")
def session(target):
    return target.session("10")


@pytest.fixture(scope="module")
def other(target):
    return target.session("10")


def url(session, api_id: str, stage: str = "") -> str:
    return f"{session.endpoint}/_aws/execute-api/{api_id}{stage}"


def rest(session, prefix: str = "") -> str:
    made = session.client("apigateway", session.learner).create_rest_api(name=f"{prefix or session.prefix}-rest")
    return url(session, made["id"], "/v1")


def http(session) -> str:
    made = session.client("apigatewayv2", session.learner).create_api(
        Name=f"{session.prefix}-http", ProtocolType="HTTP"
    )
    return url(session, made["ApiId"])


def layer(session, prefix: str = "") -> str:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("python/x.py", "")
    made = session.client("lambda", session.learner).publish_layer_version(
        LayerName=f"{prefix or session.prefix}-prices", Content={"ZipFile": buffer.getvalue()}
    )
    return made["LayerVersionArn"]


def check(session, kind: str, value: str):
    return verify({"It": value}, {"It": kind}, session)


@pytest.mark.parametrize("make", [rest, http])
def test_the_url_of_an_own_api_counts(session, make):
    value = make(session)
    assert check(session, "http-url", value) == {"It": value}


def test_the_url_of_an_own_api_counts_by_its_host_name(session):
    api_id = http(session).rpartition("/")[2]
    value = f"http://{api_id}.execute-api.127.0.0.1:{session.port}/v1"
    assert check(session, "http-url", value) == {"It": value}


@pytest.mark.parametrize(
    "wrong",
    [
        "http://example.com/_aws/execute-api/{id}/v1",
        "http://{id}.execute-api.example.com/v1",
        "{endpoint}/_aws/lambda-url/{id}/",
        "{endpoint}",
        "ftp://127.0.0.1/_aws/execute-api/{id}",
        "nonsense",
    ],
)
def test_a_url_that_leads_elsewhere_is_refused(session, wrong):
    api_id = rest(session).split("/")[-2]
    with pytest.raises(OutputError, match="the output It is not the URL"):
        check(session, "http-url", wrong.format(id=api_id, endpoint=session.endpoint))


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
def test_on_aws_an_api_has_a_host_name_of_its_region(session, region):
    api_id = http(session).rpartition("/")[2]
    for service in ("apigateway", "apigatewayv2"):
        session.client(service, session.checks)
    on_aws = dataclasses.replace(session, endpoint="")  # with the clients that are made already
    value = f"https://{api_id}.execute-api.{region}.amazonaws.com/v1"
    if region == session.region:
        assert check(on_aws, "http-url", value) == {"It": value}
    else:
        with pytest.raises(OutputError, match="is not the URL of an API"):
            check(on_aws, "http-url", value)


def test_an_api_of_another_account_is_refused(session, other):
    with pytest.raises(OutputError, match="there is no such API"):
        check(session, "http-url", rest(other))


def test_an_api_of_another_name_is_refused(session):
    with pytest.raises(OutputError, match=r"which lab.name\(...\) of this attempt did not make"):
        check(session, "http-url", rest(session, "somebody-elses"))


def test_an_own_layer_version_counts(session):
    value = layer(session)
    assert check(session, "layer-version-arn", value) == {"It": value}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda arn: arn.rpartition(":")[0], "is not the ARN of a layer version"),
        (lambda arn: arn.rpartition(":")[0] + ":99", "there is no such layer version"),
        (lambda arn: arn.replace("us-east-1", "eu-west-1"), "not in this attempt's account and Region"),
    ],
)
def test_what_is_no_own_layer_version_is_refused(session, change, says):
    with pytest.raises(OutputError, match=says):
        check(session, "layer-version-arn", change(layer(session)))


def test_a_layer_of_another_account_is_refused(session, other):
    with pytest.raises(OutputError, match="not in this attempt's account"):
        check(session, "layer-version-arn", layer(other))


def test_a_layer_of_another_name_is_refused(session):
    with pytest.raises(OutputError, match="did not make"):
        check(session, "layer-version-arn", layer(session, "somebody-elses"))
