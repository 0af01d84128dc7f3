"""A weighted alias splits its invocations, and only valid aliases can be made."""

from collections import Counter

import pytest
from support import eventually, message, refusal, returning, within

pytestmark = pytest.mark.behaviour("alias_routing")
CODES = ("InvalidParameterValueException", "ValidationException")
TELLING = (
    "def handle(event, context):\n"
    "    print('ran', context.function_version, context.invoked_function_arn.rpartition(':')[2])\n"
    "    return context.function_version\n"
)


def weights(**shares) -> dict:
    """RoutingConfig for shares given as v2=0.5."""
    return {"AdditionalVersionWeights": {name[1:]: share for name, share in shares.items()}}


@pytest.fixture
def two(aws):
    """A function with the versions 1 and 2."""
    aws.function(TELLING)
    aws.publish()
    assert aws.version(TELLING + "# again\n") == "2"
    return aws


def create(aws, version="1", name="live", **routing):
    return aws.lambda_.create_alias(FunctionName="f", Name=name, FunctionVersion=version, **routing)


@pytest.mark.localstack
def test_invocations_are_split_by_weight(two):
    create(two, RoutingConfig=weights(v2=0.25))
    answers = [two.invoke(Qualifier="live") for _ in range(200)]
    counts = Counter(answer.payload for answer in answers)
    # Binomial(200, 0.25): outside of 20..85 is less likely than one in a million.
    assert 20 <= counts["2"] <= 85
    assert [answer.version for answer in answers] == [answer.payload for answer in answers]


@pytest.mark.not_localstack("4.14 refuses a weight of 1.0, which the API's model allows")
def test_a_weight_of_one_takes_everything(two):
    create(two, RoutingConfig=weights(v2=1.0))
    assert {two.invoke(Qualifier="live").version for _ in range(5)} == {"2"}


@pytest.mark.localstack
def test_the_function_learns_by_which_alias_it_was_invoked(aws):
    """For the main and for the additional version alike; the header names the version itself."""
    source = "def handle(event, context):\n    return context.invoked_function_arn.rpartition(':')[2]\n"
    aws.function(source)
    aws.publish()
    aws.version(source + "# again\n")
    create(aws, RoutingConfig=weights(v2=0.5))
    answers = [aws.invoke(Qualifier="live") for _ in range(40)]
    assert {(answer.version, answer.payload) for answer in answers} == {("1", "live"), ("2", "live")}


@pytest.mark.localstack
def test_a_mapped_queue_is_split_too(two):
    two.allow("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "logs:*")
    sqs = two.client("sqs")
    queue = sqs.create_queue(QueueName="q")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    alias = create(two, RoutingConfig=weights(v2=0.5))["AliasArn"]
    two.lambda_.create_event_source_mapping(FunctionName=alias, EventSourceArn=arn, BatchSize=1)
    for number in range(20):
        sqs.send_message(QueueUrl=queue, MessageBody=str(number))

    def ran() -> set[str]:
        found = two.client("logs").filter_log_events(logGroupName="/aws/lambda/f", limit=10_000)["events"]
        return {line["message"].strip() for line in found if line["message"].startswith("ran")}

    eventually(lambda: refusal(lambda: two.client("logs").filter_log_events(logGroupName="/aws/lambda/f"))[0] == "")
    assert within(lambda: ran() == {"ran 1 live", "ran 2 live"}, 60)


@pytest.mark.not_localstack("4.14 checks nothing where an update changes the version alone")
def test_an_update_without_routing_keeps_the_weight(two):
    """The documentation is silent here. Keeping it is our choice, and makes this promotion fail."""
    create(two, RoutingConfig=weights(v2=0.5))
    promote = lambda: two.lambda_.update_alias(FunctionName="f", Name="live", FunctionVersion="2")  # noqa: E731
    assert refusal(promote) == ("InvalidParameterValueException", 400)
    assert "Function version 2 is already included in routing configuration." in message(promote)


@pytest.mark.ministack
@pytest.mark.localstack
def test_an_update_with_no_weights_clears_the_routing(two):
    create(two, RoutingConfig=weights(v2=0.5))
    clear = {"RoutingConfig": {"AdditionalVersionWeights": {}}}
    answer = two.lambda_.update_alias(FunctionName="f", Name="live", FunctionVersion="2", **clear)
    assert (answer["FunctionVersion"], answer.get("RoutingConfig")) == ("2", None)
    assert {two.invoke(Qualifier="live").version for _ in range(10)} == {"2"}


@pytest.mark.parametrize(
    ("version", "routing"),
    [
        pytest.param("1", {"2": 0.1, "3": 0.1}, marks=pytest.mark.localstack, id="two additional versions"),
        pytest.param("1", {"2": 1.5}, marks=pytest.mark.localstack, id="more than all"),
        pytest.param("1", {"2": -0.1}, marks=pytest.mark.localstack, id="less than nothing"),
        pytest.param("1", {"$LATEST": 0.1}, marks=pytest.mark.localstack, id="$LATEST as the additional one"),
        pytest.param("1", {"other": 0.1}, marks=pytest.mark.localstack, id="an alias as the additional one"),
        pytest.param("$LATEST", {"2": 0.1}, marks=pytest.mark.localstack, id="$LATEST as the main one"),
        pytest.param("1", {"1": 0.1}, marks=pytest.mark.localstack, id="the same version twice"),
    ],
)
def test_wrong_weights_are_refused(two, version, routing):
    code, status = refusal(lambda: create(two, version, RoutingConfig={"AdditionalVersionWeights": routing}))
    assert code in CODES
    assert status == 400


@pytest.mark.not_localstack("4.14 fails with an internal error where an update brings the weights")
def test_wrong_weights_are_refused_on_update(two):
    create(two)
    routing = weights(v1=0.5)
    update = lambda: two.lambda_.update_alias(FunctionName="f", Name="live", RoutingConfig=routing)  # noqa: E731
    assert refusal(update) == ("InvalidParameterValueException", 400)


@pytest.mark.localstack
@pytest.mark.parametrize(("version", "routing"), [("9", {}), ("1", {"9": 0.1})], ids=["main", "additional"])
def test_a_missing_version_is_not_found(two, version, routing):
    answer = refusal(lambda: create(two, version, RoutingConfig={"AdditionalVersionWeights": routing}))
    assert answer == ("ResourceNotFoundException", 404)


@pytest.mark.localstack
@pytest.mark.parametrize("name", ["42", "with space", "a.b"])
def test_a_wrong_name_is_refused(two, name):
    code, status = refusal(lambda: create(two, name=name))
    assert code in CODES
    assert status == 400


@pytest.mark.not_localstack("4.14 resolves the name of an alias to nothing and answers 404")
def test_an_alias_of_an_alias_is_refused(two):
    create(two)
    code, status = refusal(lambda: create(two, "live", "second"))
    assert code in CODES
    assert status == 400


@pytest.mark.not_localstack("4.14 does not compare the versions' roles")
def test_versions_with_different_roles_are_refused(two):
    two.lambda_.update_function_configuration(FunctionName="f", Role=two.role("another"))
    two.settled()
    assert two.publish() == "3"
    answer = refusal(lambda: create(two, RoutingConfig=weights(v3=0.5)))
    assert answer == ("InvalidParameterValueException", 400)


@pytest.mark.not_localstack("4.14 does not compare the versions' dead-letter queues")
def test_versions_with_different_dead_letter_queues_are_refused(two):
    sqs = two.client("sqs")
    queue = sqs.create_queue(QueueName="dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    two.lambda_.update_function_configuration(FunctionName="f", DeadLetterConfig={"TargetArn": arn})
    two.settled()
    assert two.publish() == "3"
    answer = refusal(lambda: create(two, RoutingConfig=weights(v3=0.5)))
    assert answer == ("InvalidParameterValueException", 400)


@pytest.mark.ministack
@pytest.mark.localstack
def test_an_unweighted_alias_may_point_to_the_latest_code(aws):
    aws.function(returning("latest"))
    create(aws, "$LATEST")
    assert aws.invoke(Qualifier="live").payload == "latest"


@pytest.mark.not_localstack("4.14 finds no configuration by the name of an alias")
def test_details_of_an_alias_are_those_of_its_main_version_under_its_own_name(two):
    create(two, RoutingConfig=weights(v2=0.9))
    found = [two.lambda_.get_function_configuration(FunctionName="f", Qualifier="live") for _ in range(10)]
    assert {(entry["Version"], entry["FunctionArn"].rpartition(":")[2]) for entry in found} == {("1", "live")}


@pytest.mark.localstack
def test_reserved_concurrency_holds_for_an_alias(two):
    create(two)
    two.lambda_.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=0)
    answer = refusal(lambda: two.lambda_.invoke(FunctionName="f", Qualifier="live"))
    assert answer == ("TooManyRequestsException", 429)
