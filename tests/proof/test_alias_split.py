"""An alias with a weight of 0.3 sends three tenths of its calls to the other version, however the draws fall."""

from __future__ import annotations

import io
import json
import zipfile
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest

from cloudkata.checking.chance import fitting, likelihood
from cloudkata.engine.process import Engine

CALLS, WEIGHT, THREADS = 1000, 0.3, 8
FALSE_ALARM = 1e-6  # of one run; the seeds are fixed, so a run that passes once passes always
SEEDS = range(20)


def archive(answer: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("app.py", f"def handle(event, context):\n    return {answer!r}\n")
    return buffer.getvalue()


def deploy(engine: Engine):
    """A client, and a function `f` whose alias `live` splits 70/30 between its versions 1 and 2."""
    key = engine.issue("learner")
    keys = {"aws_access_key_id": key.access_key_id, "aws_secret_access_key": key.secret_access_key}
    iam = boto3.client("iam", endpoint_url=engine.endpoint, region_name="us-east-1", **keys)
    functions = boto3.client("lambda", endpoint_url=engine.endpoint, region_name="us-east-1", **keys)
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=document)["Role"]["Arn"]

    def publish() -> None:
        for waiter in ("function_active_v2", "function_updated_v2"):
            found = functions.get_waiter(waiter)
            found.config.delay = 0.05
            found.wait(FunctionName="f")
        functions.publish_version(FunctionName="f")

    functions.create_function(
        FunctionName="f", Runtime="python3.12", Handler="app.handle", Role=role, Code={"ZipFile": archive("1")}
    )
    publish()
    functions.update_function_code(FunctionName="f", ZipFile=archive("2"))
    publish()
    routing = {"AdditionalVersionWeights": {"2": WEIGHT}}
    functions.create_alias(FunctionName="f", Name="live", FunctionVersion="1", RoutingConfig=routing)
    return functions


def test_the_bounds_tell_wrong_weights_apart():
    accepted = fitting(CALLS, WEIGHT, FALSE_ALARM)
    assert CALLS * WEIGHT in accepted
    for wrong in (0.0, 0.15, 0.5, 0.7):
        missed = likelihood(CALLS, wrong, accepted)
        assert missed < 1e-6, f"a weight of {wrong} would be missed with {missed}"


@pytest.mark.parametrize("seed", SEEDS)
def test_split_is_within_its_bounds(seed, monkeypatch):
    monkeypatch.setenv("CLOUDKATA_SEED", str(seed))
    with Engine.start(factor=10) as engine:
        functions = deploy(engine)

        def call(_) -> str:
            answer = functions.invoke(FunctionName="f", Qualifier="live")
            version, body = answer["ExecutedVersion"], json.loads(answer["Payload"].read())
            assert version == body, "the header names another version than the one that answered"
            return version

        with ThreadPoolExecutor(THREADS) as pool:
            answers = list(pool.map(call, range(CALLS)))
    assert answers.count("2") in fitting(CALLS, WEIGHT, FALSE_ALARM), f"seed {seed}: {answers.count('2')} of {CALLS}"
