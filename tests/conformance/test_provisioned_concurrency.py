"""Provisioned environments are initialised before they are invoked, and say so."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from support import NeverHappened, eventually, message, refusal

pytestmark = pytest.mark.behaviour("provisioned_concurrency")
INVALID = ("InvalidParameterValueException", 400)
KIND = (
    "import os, time\n"
    "loaded = time.time()\n"
    "def handle(event, context):\n"
    "    time.sleep((event or {}).get('seconds', 0))\n"
    "    kind = os.environ.get('AWS_LAMBDA_INITIALIZATION_TYPE')\n"
    "    return {'kind': kind, 'loaded': loaded, 'version': context.function_version}\n"
)


@pytest.fixture
def live(aws):
    """A function with version 1 and the alias live for it."""
    aws.function(KIND)
    aws.publish()
    aws.lambda_.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
    return aws


def put(aws, count=1, **qualifier) -> dict:
    arguments = {"FunctionName": "f", "ProvisionedConcurrentExecutions": count} | (qualifier or {"Qualifier": "live"})
    return aws.lambda_.put_provisioned_concurrency_config(**arguments)


def status(aws, qualifier="live") -> dict:
    return aws.lambda_.get_provisioned_concurrency_config(FunctionName="f", Qualifier=qualifier)


def decided(aws, qualifier="live") -> dict:
    """The configuration once it is not IN_PROGRESS any more."""
    return eventually(lambda: found if (found := status(aws, qualifier))["Status"] != "IN_PROGRESS" else None)


@pytest.mark.localstack
def test_the_latest_code_is_refused(live):
    assert refusal(lambda: put(live, Qualifier="$LATEST")) == INVALID
    said = message(lambda: put(live, Qualifier="$LATEST"))
    assert said == "Provisioned Concurrency Configs cannot be applied to unpublished function versions."


@pytest.mark.not_localstack("4.14 fails with an internal error without a qualifier")
def test_a_missing_qualifier_is_refused(live):
    arguments = {"FunctionName": "f", "ProvisionedConcurrentExecutions": 1}
    assert refusal(lambda: live.lambda_.put_provisioned_concurrency_config(**arguments)) == INVALID


@pytest.mark.not_localstack("4.14 takes an alias of $LATEST")
def test_an_alias_of_the_latest_code_is_refused(live):
    live.lambda_.create_alias(FunctionName="f", Name="newest", FunctionVersion="$LATEST")
    assert refusal(lambda: put(live, Qualifier="newest")) == INVALID


@pytest.mark.ministack
@pytest.mark.localstack
@pytest.mark.parametrize("qualifier", ["9", "nobody"])
def test_a_missing_version_or_alias_is_not_found(live, qualifier):
    assert refusal(lambda: put(live, Qualifier=qualifier)) == ("ResourceNotFoundException", 404)


@pytest.mark.localstack
def test_it_is_in_progress_at_first_and_ready_later(live):
    answer = put(live, 2)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert answer["Status"] == "IN_PROGRESS"
    assert answer.get("AvailableProvisionedConcurrentExecutions", 0) == 0
    ready = decided(live)
    assert (ready["Status"], ready["AvailableProvisionedConcurrentExecutions"]) == ("READY", 2)


@pytest.mark.not_localstack("in host mode 4.14 reports an Init Duration all the same")
def test_no_invocation_pays_for_the_init_phase(live):
    put(live)
    decided(live)
    before = time.time()
    answer = live.invoke(Qualifier="live")
    assert answer.payload["kind"] == "provisioned-concurrency"
    assert answer.payload["loaded"] < before
    assert "REPORT RequestId" in answer.log
    assert "Init Duration" not in answer.log


@pytest.mark.localstack
def test_an_environment_that_served_on_demand_does_not_count(live):
    live.invoke(Qualifier="live")
    put(live)
    decided(live)
    assert live.invoke(Qualifier="live").payload["kind"] == "provisioned-concurrency"


@pytest.mark.localstack
def test_an_init_that_fails_is_told(aws):
    aws.function("raise ValueError('no luck')\n")
    aws.publish()
    put(aws, Qualifier="1")
    found = decided(aws, "1")
    assert found["Status"] == "FAILED"
    assert found["StatusReason"]


@pytest.mark.localstack
def test_what_is_more_at_once_is_served_on_demand(live):
    put(live)
    decided(live)
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: live.invoke({"seconds": 1}, Qualifier="live"), range(2)))
    assert {answer.payload["kind"] for answer in answers} == {"on-demand", "provisioned-concurrency"}


@pytest.mark.not_localstack("4.14 cannot change the amount")
def test_more_of_it_keeps_what_is_ready(live):
    put(live, 1)
    decided(live)
    first = live.invoke(Qualifier="live").payload["loaded"]
    put(live, 2)
    assert decided(live)["AvailableProvisionedConcurrentExecutions"] == 2
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: live.invoke({"seconds": 1}, Qualifier="live"), range(2)))
    assert [answer.payload["kind"] for answer in answers] == ["provisioned-concurrency"] * 2
    assert first in [answer.payload["loaded"] for answer in answers]


@pytest.mark.not_localstack("4.14 fails with an internal error for an alias")
def test_deleting_it_ends_its_environments(live):
    put(live)
    decided(live)
    ready = live.invoke(Qualifier="live").payload["kind"]
    live.lambda_.delete_provisioned_concurrency_config(FunctionName="f", Qualifier="live")
    after = live.invoke(Qualifier="live").payload["kind"]
    assert (ready, after) == ("provisioned-concurrency", "on-demand")
    code, _ = refusal(lambda: status(live))
    assert code == "ProvisionedConcurrencyConfigNotFoundException"


@pytest.mark.localstack
def test_moving_the_alias_moves_it(live):
    put(live)
    decided(live)
    assert live.version(KIND + "# again\n") == "2"
    live.lambda_.update_alias(FunctionName="f", Name="live", FunctionVersion="2")
    decided(live)

    def moved():
        found = live.invoke(Qualifier="live").payload
        return found if found["kind"] == "provisioned-concurrency" else None

    try:
        found = eventually(moved, 5)
    except NeverHappened:
        found = live.invoke(Qualifier="live").payload
    assert (found["version"], found["kind"]) == ("2", "provisioned-concurrency")
    assert live.invoke(Qualifier="1").payload["kind"] == "on-demand"


@pytest.mark.localstack
def test_more_than_is_reserved_is_refused(live):
    live.lambda_.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=2)
    assert refusal(lambda: put(live, 3)) == INVALID
    assert refusal(lambda: put(live, 2)) == ("", 202)
    decided(live)
    below = lambda: live.lambda_.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=1)  # noqa: E731
    assert refusal(below) == INVALID


@pytest.mark.localstack
def test_a_version_has_it_once(live):
    put(live)
    assert refusal(lambda: put(live, Qualifier="1")) == ("ResourceConflictException", 409)


@pytest.mark.localstack
def test_all_of_a_function_are_listed(live):
    put(live)
    listing = lambda: live.lambda_.list_provisioned_concurrency_configs(FunctionName="f")  # noqa: E731
    assert refusal(listing) == ("", 200)
    listed = listing()["ProvisionedConcurrencyConfigs"]
    assert [entry["FunctionArn"].rpartition(":")[2] for entry in listed] == ["live"]
