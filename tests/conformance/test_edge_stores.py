"""Key-value stores: filled from S3, read in functions."""

import json

import pytest
from edge import NO_CLOUDFRONT, functions, needs_node, site
from support import refusal

pytestmark = [pytest.mark.behaviour("edge_stores"), pytest.mark.not_localstack(NO_CLOUDFRONT), needs_node]


@pytest.fixture
def made(aws):
    found = site(aws)
    found.put("a.txt")
    return found


def store(made, **pairs):
    """The ARN of a store with these pairs."""
    data = [{"key": key, "value": value} for key, value in pairs.items()]
    made.put("pairs.json", json.dumps({"data": data}))
    source = {"SourceType": "S3", "SourceARN": f"arn:aws:s3:::{made.bucket}/pairs.json"}
    found = made.cloudfront.create_key_value_store(Name=made.bucket, ImportSource=source)
    return found["KeyValueStore"]["ARN"]


def answered(made, value, *stores):
    code = (
        "import cf from 'cloudfront';\nasync function handler(event) { const kvs = cf.kvs(); return {statusCode: 200, "
    )
    code += f"headers: {{'x-value': {{value: String({value})}}}}}}; }}"
    made.update(**functions(viewer_request=made.function(code, stores=list(stores))))
    return made.get("/a.txt")


def test_a_function_reads_a_value(made):
    assert answered(made, "await kvs.get('colour')", store(made, colour="blue")).headers.get("x-value") == "blue"


def test_a_value_is_read_as_json(made):
    found = answered(made, "(await kvs.get('limits', {format: 'json'})).most", store(made, limits='{"most": 7}'))
    assert found.headers.get("x-value") == "7"


def test_a_function_asks_whether_a_key_exists(made):
    value = "await kvs.exists('colour') + '/' + await kvs.exists('size')"
    assert answered(made, value, store(made, colour="blue")).headers.get("x-value") == "true/false"


def test_the_number_of_keys(made):
    assert answered(made, "(await kvs.count())", store(made, a="1", b="2")).headers.get("x-value") == "2"


@pytest.mark.ministack
def test_a_missing_key_is_an_error(made):
    assert answered(made, "await kvs.get('size')", store(made, colour="blue")).status == 503


@pytest.mark.ministack
def test_without_a_store_there_is_none_to_read(made):
    assert answered(made, "await kvs.get('colour')").status == 503


def test_a_source_that_is_no_list_of_pairs_is_refused(made):
    made.put("pairs.json", "[]")
    source = {"SourceType": "S3", "SourceARN": f"arn:aws:s3:::{made.bucket}/pairs.json"}
    code, _ = refusal(lambda: made.cloudfront.create_key_value_store(Name="s", ImportSource=source))
    assert code == "InvalidArgument"
