"""What CloudFront Functions can do, must not do, and how they are tried."""

import json

import pytest
from edge import NO_CLOUDFRONT, functions, needs_node, site
from support import refusal

pytestmark = [
    pytest.mark.behaviour("edge_functions"),
    pytest.mark.not_localstack(NO_CLOUDFRONT),
    needs_node,
]


@pytest.fixture
def made(aws):
    found = site(aws)
    found.put("a.txt")
    return found


def request_event(**request):
    return {
        "version": "1.0",
        "context": {"eventType": "viewer-request"},
        "viewer": {"ip": "198.51.100.1"},
        "request": {"method": "GET", "uri": "/a", "querystring": {}, "headers": {}, "cookies": {}} | request,
    }


def tried(made, body: str, event=None, stage="DEVELOPMENT", stores=()):
    """What TestFunction answers for a function with this body."""
    arn = made.function(f"{body}", publish=stage == "LIVE", stores=list(stores))
    name = arn.rpartition("/")[2]
    tag = made.cloudfront.describe_function(Name=name, Stage=stage)["ETag"]
    found = made.cloudfront.test_function(
        Name=name, IfMatch=tag, Stage=stage, EventObject=json.dumps(event or request_event()).encode()
    )
    return found["TestResult"]


def answered(made, value: str, imports: str = "") -> object:
    """What an expression comes to in a viewer-request function on a distribution, as its header says; "" where none."""
    code = f"{imports}\nasync function handler(event) {{ return {{statusCode: 200, headers: {{'x-value': {{value: "
    code += f"String({value})}}}}}}; }}"
    made.update(**functions(viewer_request=made.function(code)))
    return made.get("/a.txt").headers.get("x-value", "")


@pytest.mark.parametrize(
    "name", ["setTimeout", "setImmediate", "setInterval", "fetch", "XMLHttpRequest", "process", "WebSocket"]
)
@pytest.mark.ministack
def test_there_is_no_network_and_there_are_no_timers(made, name):
    assert answered(made, f"typeof {name}") == "undefined"


@pytest.mark.parametrize("name", ["fs", "http", "https", "net", "child_process", "vm"])
@pytest.mark.ministack
def test_there_are_no_other_modules(made, name):
    made.update(
        **functions(
            viewer_request=made.function(f"var m = require('{name}'); function handler(e) {{ return e.request; }}")
        )
    )
    assert made.get("/a.txt").status == 503


@pytest.mark.parametrize(
    "code", ["eval('1 + 1')", "new Function('return 1')()", "Buffer.constructor('return process')()"]
)
def test_code_cannot_be_evaluated(made, code):
    code = f"function handler(e) {{ return {{statusCode: 200, headers: {{'x-value': {{value: String({code})}}}}}}; }}"
    made.update(**functions(viewer_request=made.function(code)))
    assert made.get("/a.txt").status == 503


def test_time_stands_still_during_a_run(made):
    wait = "(() => { const a = Date.now(); let n = 0; for (let i = 0; i < 2e7; i++) n += i; return new Date() - a; })()"
    assert answered(made, wait) == "0"


def test_nothing_is_left_from_one_run_for_the_next(made):
    code = (
        "let n = 0; function handler(e) { n += 1; e.response.headers['x-n'] = {value: String(n)}; return e.response; }"
    )
    made.update(**functions(viewer_response=made.function(code)))
    assert [made.get("/a.txt").headers["x-n"] for _ in range(3)] == ["1", "1", "1"]


@pytest.mark.ministack
def test_hashes_are_made_as_in_node(made):
    value = "crypto.createHmac('sha256', 'secret').update('text').digest('base64url')"
    assert answered(made, value, "import crypto from 'crypto';") == "L0Q2hVkpAOYZ8vOyNQw8ilc44ueia8miRNM5PDzWq9Y"


def test_other_hashes_are_not_supported(made):
    code = "function handler(e) { return {statusCode: 200, headers: {'x-value': {value: "
    code += "require('crypto').createHash('sha512').update('a').digest('hex')}}}; }"
    made.update(**functions(viewer_request=made.function(code)))
    assert made.get("/a.txt").status == 503


@pytest.mark.ministack
def test_a_function_that_never_ends_is_ended(made):
    made.update(**functions(viewer_request=made.function("function handler(e) { for (;;) {} }")))
    assert made.get("/a.txt").status == 503


def test_a_function_that_waits_for_ever_is_not_waited_for(made):
    code = "async function handler(e) { await new Promise(() => {}); return e.request; }"
    found = trial(made, code)
    assert "did not finish" in found["FunctionErrorMessage"]


@pytest.mark.parametrize("name", ["via", "content-length"])
def test_a_read_only_header_of_a_request_cannot_be_changed(made, name):
    code = f"function handler(e) {{ e.request.headers['{name}'] = {{value: '1'}}; return e.request; }}"
    made.update(**functions(viewer_request=made.function(code)))
    assert made.get("/a.txt").status == 502


@pytest.mark.parametrize("name", ["x-cache", "x-edge-location", "x-amz-cf-id", "connection"])
def test_a_disallowed_header_cannot_be_added(made, name):
    code = f"function handler(e) {{ e.response.headers['{name}'] = {{value: '1'}}; return e.response; }}"
    made.update(**functions(viewer_response=made.function(code)))
    assert made.get("/a.txt").status == 502


def test_header_names_are_in_lower_case(made):
    code = "function handler(e) { e.response.headers['X-Frame-Options'] = {value: 'DENY'}; return e.response; }"
    made.update(**functions(viewer_response=made.function(code)))
    assert made.get("/a.txt").status == 502


def test_a_response_function_must_return_a_response(made):
    made.update(**functions(viewer_response=made.function("function handler(e) { return null; }")))
    assert made.get("/a.txt").status == 502


@pytest.mark.ministack
def test_the_same_function_is_accepted_with_what_is_allowed(made):
    code = "function handler(e) { e.response.headers['x-frame-options'] = {value: 'DENY'}; return e.response; }"
    made.update(**functions(viewer_response=made.function(code)))
    found = made.get("/a.txt")
    assert (found.status, found.headers["x-frame-options"]) == (200, "DENY")


@pytest.mark.ministack
@pytest.mark.parametrize("size", [10_239, 10_240])
def test_ten_kilobytes_of_code_are_accepted(made, size):
    code = "function handler(e) { return e.request; }"
    assert made.function(code + " " * (size - len(code)))


def test_more_than_ten_kilobytes_are_refused(made):
    code = "function handler(e) { return e.request; }".ljust(10_241)
    config = {"Comment": "", "Runtime": "cloudfront-js-2.0"}
    assert refusal(
        lambda: made.cloudfront.create_function(Name="large", FunctionConfig=config, FunctionCode=code.encode())
    ) == ("FunctionSizeLimitExceeded", 413)


def test_an_update_to_more_than_ten_kilobytes_is_refused(made):
    name = made.function("function handler(e) { return e.request; }", publish=False).rpartition("/")[2]
    tag = made.cloudfront.describe_function(Name=name, Stage="DEVELOPMENT")["ETag"]
    config = {"Comment": "", "Runtime": "cloudfront-js-2.0"}
    assert refusal(
        lambda: made.cloudfront.update_function(
            Name=name, IfMatch=tag, FunctionConfig=config, FunctionCode=b" " * 10_241
        )
    ) == ("FunctionSizeLimitExceeded", 413)


def test_a_response_function_is_shown_the_request_as_a_request_function_left_it(made):
    first = "function handler(e) { e.request.headers['x-own'] = {value: 'added'}; return e.request; }"
    second = "function handler(e) { e.response.headers['x-seen'] = e.request.headers['x-own'] || {value: ''}; "
    second += "return e.response; }"
    made.update(**functions(viewer_request=made.function(first), viewer_response=made.function(second)))
    assert made.get("/a.txt").headers["x-seen"] == "added"


def trial(made, body, event=None, **more):
    """The same as `tried`, where it may not be known: its error then, as an answer without a result."""
    try:
        return tried(made, body, event, **more)
    except Exception as error:  # bare MiniStack has no such operation
        return {"FunctionErrorMessage": str(error), "FunctionOutput": "{}", "FunctionExecutionLogs": []}


def test_a_function_is_tried_with_an_event(made):
    found = trial(made, "function handler(e) { e.request.uri += '/index.html'; return e.request; }")
    assert json.loads(found["FunctionOutput"]).get("request", {}).get("uri") == "/a/index.html"


def test_a_trial_shows_what_was_logged(made):
    found = trial(made, "function handler(e) { console.log('uri', e.request.uri); return e.request; }")
    assert found["FunctionExecutionLogs"] == ["uri /a"]


def test_a_trial_shows_the_error(made):
    found = trial(made, "function handler(e) { return nobody; }")
    assert found["FunctionErrorMessage"].endswith("nobody is not defined")


def test_a_trial_measures_the_share_of_the_time_allowed(made):
    found = trial(made, "function handler(e) { return e.request; }")
    assert 0 <= int(found.get("ComputeUtilization", -1)) <= 100


def test_a_trial_needs_the_current_etag(made):
    name = made.function("function handler(e) { return e.request; }").rpartition("/")[2]
    event = json.dumps(request_event()).encode()
    code, _ = refusal(lambda: made.cloudfront.test_function(Name=name, IfMatch="old", EventObject=event))
    assert code == "InvalidIfMatchVersion"


def test_each_stage_is_tried_by_itself(made):
    body = "function handler(e) {{ e.request.uri = '/{}'; return e.request; }}"
    name = made.function(body.format("live")).rpartition("/")[2]
    tag = made.cloudfront.describe_function(Name=name, Stage="DEVELOPMENT")["ETag"]
    config = {"Comment": "", "Runtime": "cloudfront-js-2.0"}
    made.cloudfront.update_function(
        Name=name, IfMatch=tag, FunctionConfig=config, FunctionCode=body.format("dev").encode()
    )

    def uri(stage):
        tag = made.cloudfront.describe_function(Name=name, Stage=stage)["ETag"]
        event = json.dumps(request_event()).encode()
        try:
            found = made.cloudfront.test_function(Name=name, IfMatch=tag, Stage=stage, EventObject=event)
        except Exception:
            return ""
        return json.loads(found["TestResult"]["FunctionOutput"])["request"]["uri"]

    assert (uri("LIVE"), uri("DEVELOPMENT")) == ("/live", "/dev")
