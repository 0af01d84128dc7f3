"""Arguments and payloads beyond the service's limits are refused."""

import json

import pytest
from support import archive, message, refusal, returning

pytestmark = pytest.mark.behaviour("argument_limits")
CODES = ("InvalidParameterValueException", "ValidationException")
SOURCE = returning("ran")
_NO_RANGE = pytest.mark.not_localstack("4.14 does not check this range")

WRONG = [
    pytest.param({"Timeout": 901}, marks=_NO_RANGE, id="timeout 901"),
    pytest.param({"Timeout": 0}, marks=_NO_RANGE, id="timeout 0"),
    pytest.param({"MemorySize": 127}, marks=_NO_RANGE, id="memory 127"),
    pytest.param({"MemorySize": 10_241}, marks=_NO_RANGE, id="memory 10241"),
    pytest.param({"EphemeralStorage": {"Size": 511}}, marks=_NO_RANGE, id="storage 511"),
    pytest.param({"EphemeralStorage": {"Size": 10_241}}, marks=_NO_RANGE, id="storage 10241"),
    pytest.param({"Handler": "h" * 129}, marks=_NO_RANGE, id="long handler"),
    pytest.param({"Description": "d" * 257}, marks=_NO_RANGE, id="long description"),
    pytest.param({"Environment": {"Variables": {"BIG": "x" * 4096}}}, marks=pytest.mark.localstack, id="4 KB"),
    pytest.param({"Environment": {"Variables": {"AWS_REGION": "eu-west-1"}}}, marks=_NO_RANGE, id="reserved name"),
    pytest.param({"Environment": {"Variables": {"1X": "x"}}}, marks=_NO_RANGE, id="name with a digit first"),
]


@pytest.mark.parametrize("arguments", WRONG)
def test_creating_with_a_wrong_argument_is_refused(aws, arguments):
    code, status = refusal(lambda: aws.create(SOURCE, **arguments))
    assert code in CODES
    assert status == 400


@pytest.mark.parametrize("arguments", WRONG)
def test_updating_to_a_wrong_argument_is_refused(aws, arguments):
    aws.function(SOURCE)
    code, status = refusal(lambda: aws.lambda_.update_function_configuration(FunctionName="f", **arguments))
    assert code in CODES
    assert status == 400


@pytest.mark.ministack
@pytest.mark.localstack
def test_the_limits_themselves_are_allowed(aws):
    room = 4096 - len(json.dumps({"BIG": ""}, separators=(",", ":")))
    aws.function(
        SOURCE,
        Timeout=900,
        MemorySize=10_240,
        EphemeralStorage={"Size": 10_240},
        Environment={"Variables": {"BIG": "x" * room}},
    )
    assert aws.lambda_.get_function_configuration(FunctionName="f")["Timeout"] == 900


@pytest.mark.localstack
def test_variables_are_measured_as_json(aws):
    """Quotes double in JSON: 2,044 of them are under 4 KB as text and over it as measured."""
    variables = {"Variables": {"QQ": '"' * 2044}}
    said = message(lambda: aws.create(SOURCE, Environment=variables))
    assert "exceeded the 4KB limit. String measured: {" in said


@pytest.mark.not_localstack("4.14 does not refuse reserved names")
def test_a_refusal_names_the_reserved_names(aws):
    variables = {"Variables": {"AWS_REGION": "x", "COLOUR": "red", "_HANDLER": "y"}}
    said = message(lambda: aws.create(SOURCE, Environment=variables))
    assert said.endswith("Reserved keys used in this request: AWS_REGION, _HANDLER")


@pytest.mark.not_localstack("4.14 does not limit payloads")
@pytest.mark.parametrize(("kind", "limit"), [("RequestResponse", 6 << 20), ("Event", 1 << 20)])
def test_a_payload_over_the_limit_is_refused(aws, kind, limit):
    aws.function(SOURCE)
    over, under = '"' + "x" * (limit - 1) + '"', '"' + "x" * (limit - 2) + '"'
    invoke = lambda text: aws.lambda_.invoke(FunctionName="f", InvocationType=kind, Payload=text)  # noqa: E731
    assert refusal(lambda: invoke(over)) == ("RequestTooLargeException", 413)
    assert refusal(lambda: invoke(under))[0] == ""


@pytest.mark.localstack
def test_a_sixth_layer_is_refused(aws):
    layers = [
        aws.lambda_.publish_layer_version(LayerName=f"l{n}", Content={"ZipFile": archive({"python/x.py": str(n)})})
        for n in range(6)
    ]
    arns = [layer["LayerVersionArn"] for layer in layers]
    assert refusal(lambda: aws.create(SOURCE, Layers=arns)) == ("InvalidParameterValueException", 400)
    aws.function(SOURCE, Layers=arns[:5])
    update = lambda: aws.lambda_.update_function_configuration(FunctionName="f", Layers=arns)  # noqa: E731
    assert refusal(update) == ("InvalidParameterValueException", 400)


@pytest.mark.ministack
@pytest.mark.not_localstack("4.14 does not add the layers' sizes")
def test_code_and_layers_over_250_mb_unzipped_are_refused(aws):
    half = archive({"python/zeros": bytes(130 << 20)})
    layer = aws.lambda_.publish_layer_version(LayerName="half", Content={"ZipFile": half})["LayerVersionArn"]
    source = {"app.py": SOURCE, "zeros": bytes(130 << 20)}
    assert refusal(lambda: aws.create(source, Layers=[layer])) == ("InvalidParameterValueException", 400)


@pytest.mark.localstack
@pytest.mark.parametrize("name", ["with space", "n" * 65])
def test_a_wrong_function_name_is_refused(aws, name):
    code, status = refusal(lambda: aws.create(SOURCE, name))
    assert code in CODES
    assert status == 400
