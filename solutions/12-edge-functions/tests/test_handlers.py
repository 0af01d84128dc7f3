"""The Lambda@Edge handlers with events as CloudFront writes them. They ask no service, so there is nothing to mock."""

import importlib.util
from pathlib import Path

import pytest

APP = Path(__file__).parents[1] / "app"


def call(name, **cf):
    """What the handler of a file returns for an event with this request, or with this response as well."""
    spec = importlib.util.spec_from_file_location(f"lab12_{name}", APP / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.handler({"Records": [{"cf": {"config": {"requestId": "r"}, **cf}}]}, None)


def request(uri):
    headers = {"host": [{"key": "Host", "value": "d111111abcdef8.cloudfront.net"}]}
    return {"clientIp": "198.51.100.7", "method": "GET", "uri": uri, "querystring": "page=2", "headers": headers}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("/", "/site/index.html"),
        ("/guides/", "/site/guides/index.html"),
        ("/guides/a.txt", "/site/guides/a.txt"),
        ("/errors/missing.html", "/site/errors/missing.html"),
    ],
)
def test_an_address_has_its_object(asked, found):
    assert call("origin_rewrite", request=request(asked))["uri"] == found


def test_the_rest_of_the_request_stays():
    expected = request("/site/a.txt")
    assert call("origin_rewrite", request=request("/a.txt")) == expected


@pytest.mark.parametrize("status", ["200", "403", "404"])
def test_every_answer_is_secured(status):
    response = {"status": status, "statusDescription": "", "headers": {"etag": [{"key": "ETag", "value": '"a"'}]}}
    found = call("error_headers", request=request("/a.txt"), response=response)
    assert (found["status"], sorted(found["headers"])) == (
        status,
        ["etag", "strict-transport-security", "x-content-type-options", "x-frame-options"],
    )
    assert found["headers"]["x-frame-options"] == [{"key": "X-Frame-Options", "value": "DENY"}]
