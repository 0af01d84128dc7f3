"""The greeter, and the release of it: versions and aliases by moto, the answers made up."""

import importlib.util
import io
import json
import random
import zipfile
from pathlib import Path
from types import SimpleNamespace

import boto3
import pytest
from moto import mock_aws

ROOT = Path(__file__).parents[1]


def load(name):
    spec = importlib.util.spec_from_file_location(f"lab01_{Path(name).name}", ROOT / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_greets_in_the_words_of_its_settings(monkeypatch):
    monkeypatch.setenv("GREETING", "Good evening")
    said = load("app/handler").handler({"name": "Ada"}, SimpleNamespace(function_version="7"))
    assert said == {"greeting": "Good evening, Ada!", "version": "7"}


def test_greets_somebody_without_a_name(monkeypatch):
    monkeypatch.setenv("GREETING", "Hello")
    assert load("app/handler").handler({}, SimpleNamespace(function_version="1"))["greeting"] == "Hello, stranger!"


class Lab:
    """What a script is given: moto for everything but the calls, of which the candidate gets its share."""

    def __init__(self, failing: int = 0) -> None:
        self._client = boto3.client("lambda", region_name="us-east-1")
        self._draw, self._failing = random.Random(1), failing
        self._client.invoke = self._invoke
        self.seen = []
        self.answers = 0
        self.outputs = {}

    def client(self, service):
        assert service == "lambda"
        return self._client

    def name(self, base):
        return f"kata01-0000-{base}"

    def role(self, base):
        trust = json.dumps({"Version": "2012-10-17", "Statement": []})
        return boto3.client("iam").create_role(RoleName=base, AssumeRolePolicyDocument=trust)["Role"]["Arn"]

    def package(self, folder):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("handler.py", f"# {folder}")
        return buffer.getvalue()

    def alias(self):
        return self._client.get_alias(FunctionName=self.outputs["FunctionName"], Name="live")

    def _invoke(self, FunctionName, Payload):
        alias = self.alias()
        (candidate, share), *_ = alias["RoutingConfig"]["AdditionalVersionWeights"].items()
        self.seen.append((FunctionName, share))
        reply = {"StatusCode": 200, "ExecutedVersion": alias["FunctionVersion"], "Payload": io.BytesIO(b"{}")}
        if self._draw.random() < share:
            self.answers += 1
            reply["ExecutedVersion"] = candidate
            if self.answers == self._failing:
                reply["FunctionError"] = "Unhandled"
        return reply


@pytest.fixture
def released(monkeypatch):
    """Deploy, release once to a candidate that fails with its n-th answer: (what release said, the lab)."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")

    def released(failing=0):
        lab = Lab(failing)
        load("deploy").deploy(lab)
        return load("release").release(lab, "new", {"name": "Ada"}), lab

    with mock_aws():
        yield released


def test_a_good_candidate_gets_everything_after_twenty_answers(released):
    said, lab = released()
    assert (said, lab.answers) == ("promoted", 20)
    assert set(lab.seen) == {(lab.outputs["AliasArn"], 0.1)}
    assert lab.alias()["FunctionVersion"] == "2"
    assert not (lab.alias().get("RoutingConfig") or {}).get("AdditionalVersionWeights")


@pytest.mark.parametrize("failing", [1, 20])
def test_one_error_is_enough_to_roll_back(released, failing):
    said, lab = released(failing)
    assert (said, lab.answers) == ("rolled back", failing)
    assert lab.alias()["FunctionVersion"] == "1"
    assert not (lab.alias().get("RoutingConfig") or {}).get("AdditionalVersionWeights")
