"""Lambda@Edge functions at the four events."""

import json

import pytest
from edge import KEEP_A_DAY, NO_CLOUDFRONT, functions, lambdas, needs_node, site

pytestmark = [pytest.mark.behaviour("edge_lambdas"), pytest.mark.not_localstack(NO_CLOUDFRONT)]

MARK_REQUEST = "cf['request']['headers']['x-mark'] = [{'key': 'X-Mark', 'value': 'request'}]; return cf['request']"
MARK_RESPONSE = "cf['response']['headers']['x-mark'] = [{'key': 'X-Mark', 'value': 'response'}]; return cf['response']"
NOTE_REQUEST = (
    "import json; r = cf['request']; "
    "return {'status': '200', 'body': json.dumps({'config': cf['config'], 'request': r}), 'headers': {}}"
)


@pytest.fixture
def made(aws):
    found = site(aws)
    found.put("a.txt", "the object")
    return found


def test_a_viewer_request_function_is_given_the_viewers_request(made):
    made.update(**lambdas(viewer_request=made.lambda_(NOTE_REQUEST)))
    seen = made.get("/a.txt?size=large", {"X-Own": "1"}).json or {}
    request = seen.get("request", {})
    assert (
        request.get("uri"),
        request.get("querystring"),
        request.get("method"),
        request.get("headers", {}).get("x-own"),
        seen.get("config", {}).get("eventType"),
        seen.get("config", {}).get("distributionId"),
    ) == ("/a.txt", "size=large", "GET", [{"key": "X-Own", "value": "1"}], "viewer-request", made.id)


def test_an_origin_request_function_is_given_the_origin(made):
    made.update(**lambdas(origin_request=made.lambda_(NOTE_REQUEST)))
    request = (made.get("/a.txt").json or {}).get("request", {})
    origin = request.get("origin", {}).get("s3", {})
    assert (origin.get("domainName"), origin.get("path")) == (f"{made.bucket}.s3.us-east-1.amazonaws.com", "")


def test_a_viewer_request_function_changes_the_path(made):
    made.update(**lambdas(viewer_request=made.lambda_("cf['request']['uri'] = '/a.txt'; return cf['request']")))
    assert made.get("/another").text == "the object"


def test_an_origin_request_function_changes_the_path(made):
    made.update(**lambdas(origin_request=made.lambda_("cf['request']['uri'] = '/a.txt'; return cf['request']")))
    assert made.get("/another").text == "the object"


def test_what_an_origin_request_function_rewrote_is_kept_under_the_viewers_path(made):
    function = made.lambda_("cf['request']['uri'] = '/a.txt'; return cf['request']")
    made.update(CachePolicyId=KEEP_A_DAY, **lambdas(origin_request=function))
    made.get("/another")
    made.put("a.txt", "new")
    assert (made.get("/another").text, made.get("/third").text) == ("the object", "new")


@pytest.mark.parametrize("event", ["viewer_request", "origin_request"])
def test_a_request_function_answers_itself(made, event):
    value = "{'status': '302', 'headers': {'location': [{'value': '/b'}]}, 'body': 'moved'}"
    made.update(**lambdas(**{event: made.lambda_(f"return {value}")}))
    found = made.get("/a.txt")
    assert (found.status, found.headers.get("location"), found.text) == (302, "/b", "moved")


def test_only_the_answer_of_an_origin_request_function_is_kept(made):
    body = "import uuid; return {'status': '200', 'body': str(uuid.uuid4()), 'headers': {}}"
    function = made.lambda_(body)
    made.update(CachePolicyId=KEEP_A_DAY, **lambdas(viewer_request=function))
    viewer = {made.get("/a.txt").text for _ in range(2)}
    made.update(CachePolicyId=KEEP_A_DAY, **lambdas(origin_request=function))
    origin = {made.get("/b.txt").text for _ in range(2)}
    assert (len(viewer), len(origin)) == (2, 1)


@pytest.mark.parametrize("event", ["origin_response", "viewer_response"])
def test_a_response_function_adds_a_header(made, event):
    made.update(**lambdas(**{event: made.lambda_(MARK_RESPONSE)}))
    found = made.get("/a.txt")
    assert (found.status, found.headers.get("x-mark"), found.text) == (200, "response", "the object")


def test_origin_functions_do_not_run_on_a_hit_and_viewer_functions_do(made):
    stamp = "import uuid; cf['response']['headers']['{}'] = [{{'value': str(uuid.uuid4())}}]; return cf['response']"
    origin, viewer = made.lambda_(stamp.format("x-origin")), made.lambda_(stamp.format("x-viewer"))
    made.update(CachePolicyId=KEEP_A_DAY, **lambdas(origin_response=origin, viewer_response=viewer))
    found = [made.get("/a.txt").headers for _ in range(3)]
    stamps = [{headers.get(name, "") for headers in found} for name in ("x-origin", "x-viewer")]
    assert [len(stamp - {""}) for stamp in stamps] == [1, 3]


def test_an_origin_response_function_runs_on_an_error_and_a_viewer_response_function_does_not(made):
    marks = {
        event: made.lambda_(f"cf['response']['headers']['x-{event}'] = [{{'value': '1'}}]; return cf['response']")
        for event in ("origin", "viewer")
    }
    made.update(**lambdas(origin_response=marks["origin"], viewer_response=marks["viewer"]))
    missing, there = made.get("/none.txt"), made.get("/a.txt")
    marked = [(found.headers.get("x-origin"), found.headers.get("x-viewer")) for found in (missing, there)]
    assert (missing.status >= 400, marked) == (True, [("1", None), ("1", "1")])


def test_a_viewer_response_function_does_not_run_for_a_custom_error_page(made):
    made.put("error.html", "the page")
    page = {"ErrorCode": 403, "ResponsePagePath": "/error.html", "ResponseCode": "200", "ErrorCachingMinTTL": 0}
    pages = {"Quantity": 2, "Items": [page, page | {"ErrorCode": 404}]}
    made.update(CustomErrorResponses=pages, **lambdas(viewer_response=made.lambda_(MARK_RESPONSE)))
    missing, there = made.get("/none.txt"), made.get("/a.txt")
    assert [(found.text, found.headers.get("x-mark")) for found in (missing, there)] == [
        ("the page", None),
        ("the object", "response"),
    ]


def test_a_viewer_response_function_does_not_run_for_what_a_viewer_request_function_made(made):
    answer = (
        "return {'status': '200', 'body': 'made', 'headers': {}} if cf['request']['uri'] == '/b' else cf['request']"
    )
    made.update(**lambdas(viewer_request=made.lambda_(answer), viewer_response=made.lambda_(MARK_RESPONSE)))
    generated, there = made.get("/b"), made.get("/a.txt")
    assert [(found.text, found.headers.get("x-mark")) for found in (generated, there)] == [
        ("made", None),
        ("the object", "response"),
    ]


def test_an_origin_response_function_replaces_the_answer(made):
    body = "r = cf['response']; r['status'] = '200'; r['body'] = 'instead'; return r"
    made.update(**lambdas(origin_response=made.lambda_(body)))
    found = made.get("/none.txt")
    assert (found.status, found.text) == (200, "instead")


def test_a_viewer_response_function_cannot_change_the_status(made):
    body = "r = cf['response']; r['status'] = '404'; r['headers']['x-mark'] = [{'value': 'ran'}]; return r"
    made.update(**lambdas(viewer_response=made.lambda_(body)))
    found = made.get("/a.txt")
    assert (found.status, found.headers.get("x-mark")) == (200, "ran")


def test_a_function_that_fails_is_a_503(made):
    made.update(**lambdas(viewer_request=made.lambda_("raise ValueError(cf)")))
    assert made.get("/a.txt").status == 503


@pytest.mark.parametrize(
    ("event", "body"),
    [
        ("viewer_request", "return None"),
        ("viewer_request", "return {'status': '199'}"),
        ("viewer_request", "return {'status': '204', 'body': 'none'}"),
        ("viewer_request", "return {'status': '200', 'body': 'x' * 41000}"),
        ("viewer_request", "cf['request']['uri'] = 'a.txt'; return cf['request']"),
        ("viewer_request", "cf['request']['uri'] = '/' + 'a' * 8192; return cf['request']"),
        ("viewer_request", "cf['request']['querystring'] = 'a b'; return cf['request']"),
        ("viewer_request", "cf['request']['headers']['host'] = [{'value': 'other'}]; return cf['request']"),
        ("viewer_request", "cf['request']['headers']['x-edge-a'] = [{'value': 'other'}]; return cf['request']"),
        ("origin_request", "return {'status': '200', 'body': 'x' * 1100000}"),
        ("origin_request", "cf['request']['headers']['accept-encoding'] = [{'value': 'a'}]; return cf['request']"),
        ("origin_response", "cf['response']['headers']['via'] = [{'value': 'me'}]; return cf['response']"),
        ("origin_response", "cf['response']['headers']['x-a'] = 'text'; return cf['response']"),
        ("viewer_response", "cf['response']['headers']['x-cache'] = [{'value': 'Hit'}]; return cf['response']"),
    ],
)
def test_what_must_not_be_returned_is_a_502(made, event, body):
    made.update(**lambdas(**{event: made.lambda_(body)}))
    assert made.get("/a.txt").status == 502


@pytest.mark.parametrize(
    ("event", "body"),
    [
        ("viewer_request", "return {'status': '200', 'body': 'x' * 40000}"),
        ("origin_request", "return {'status': '200', 'body': 'x' * 1000000}"),
        ("viewer_request", "cf['request']['headers']['x-a'] = [{'value': 'b'}]; return cf['request']"),
    ],
)
@pytest.mark.ministack
def test_what_is_within_the_rules_is_accepted(made, event, body):
    made.update(**lambdas(**{event: made.lambda_(body)}))
    assert made.get("/a.txt").status == 200


def test_the_body_is_shown_where_it_is_asked_for(made):
    body = "b = cf['request'].get('body', {}); return {'status': '200', 'body': b.get('data', ''), 'headers': {}}"
    association = lambdas(viewer_request=made.lambda_(body))
    association["LambdaFunctionAssociations"]["Items"][0]["IncludeBody"] = True
    allowed = ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"]
    cached = {"Quantity": 2, "Items": ["GET", "HEAD"]}
    methods = {"AllowedMethods": {"Quantity": 7, "Items": allowed, "CachedMethods": cached}}
    made.update(**association, **methods)
    assert made.get("/a.txt", method="POST", body="hello").text == "aGVsbG8="


@needs_node
def test_both_kinds_work_together(made):
    code = "function handler(e) { e.response.headers['x-function'] = {value: '1'}; return e.response; }"
    both = functions(viewer_response=made.function(code)) | lambdas(origin_response=made.lambda_(MARK_RESPONSE))
    made.update(**both)
    found = made.get("/a.txt").headers
    assert (found.get("x-function"), found.get("x-mark")) == ("1", "response")


def test_a_version_stays_what_it_was(made):
    arn = made.lambda_(MARK_RESPONSE)
    made.update(**lambdas(viewer_response=arn))
    name, version = arn.split(":")[6:]
    made.account.version(f"def handle(event, context):\n    raise ValueError({json.dumps(version)})\n", name)
    assert made.get("/a.txt").headers.get("x-mark") == "response"
