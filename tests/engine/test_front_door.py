"""The front door's judgement, without an engine behind it."""

from __future__ import annotations

import asyncio

import pytest
from ministack.core.responses import get_account_id

from cloudkata.engine.front_door import FrontDoor, is_admin_path, plain_path
from cloudkata.engine.keys import KeyRing
from cloudkata.engine.owners import Owners
from cloudkata.engine.request_log import RequestLog


@pytest.mark.parametrize(
    ("path", "plain"),
    [
        ("/a/b", "/a/b"),
        ("/a//b", "/a/b"),
        ("/a/./b", "/a/b"),
        ("/a/../b", "/b"),
        ("//a", "/a"),
        ("/%61", "/a"),
        ("/%2561", "/a"),
        ("/a%2fb", "/a/b"),
        ("\\a\\b", "/a/b"),
        ("/a?b", "/a"),
        ("/a\x00b", "/ab"),
        ("/a\tb", "/ab"),
        ("", "/"),
        ("/..", "/"),
    ],
)
def test_plain_path(path, plain):
    assert plain_path(path) == plain


@pytest.mark.parametrize(
    "path", ["/_ministack", "/_ministack/reset", "/x/_ministack/reset", "/_LocalStack/health", "/health"]
)
def test_admin_paths(path):
    assert is_admin_path(path)


@pytest.mark.parametrize("path", ["/", "/ministack", "/_ministackish/reset", "/healthy", "/x/health", "/bucket/_key"])
def test_other_paths(path):
    assert not is_admin_path(path)


class Door:
    """A front door before an application that says 200 to everything and remembers the scopes it saw."""

    def __init__(self) -> None:
        self.seen: list[dict] = []
        self.accounts: list[str] = []
        self.bodies: list[bytes] = []
        self.keys = KeyRing()
        self.owners = Owners()
        self.door = FrontDoor(self._app, self.keys, owners=self.owners)

    async def _app(self, scope, receive, send) -> None:
        self.seen.append(scope)
        self.accounts.append(get_account_id())
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message["body"]
            if not message.get("more_body"):
                break
        self.bodies.append(body)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def ask(
        self, path: str = "/", headers: dict[str, str] | None = None, method: str = "POST", body=(b"",), **scope
    ) -> int:
        given = {"host": "127.0.0.1:1", **(headers or {})}
        found = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in given.items()],
            **scope,
        }
        statuses = []
        parts = list(body)

        async def send(message):
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        async def receive():
            return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

        asyncio.run(self.door(found, receive, send))
        return statuses[0]


@pytest.fixture
def door():
    return Door()


def signed(key_id: str) -> dict[str, str]:
    scope = f"{key_id}/20260101/us-east-1/dynamodb/aws4_request"
    credential = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
    return {"authorization": credential, "x-amz-target": "DynamoDB_20120810.ListTables"}


def test_an_issued_key_goes_through(door):
    key = door.keys.issue("learner", "111122223333")
    assert door.ask(headers=signed(key.access_key_id)) == 200
    assert [(entry["key_set"], entry["account"]) for entry in door.door.log.since(0)] == [("learner", "111122223333")]


def test_a_revoked_key_does_not(door):
    key = door.keys.issue("learner", "111122223333")
    door.keys.revoke(key.access_key_id)
    assert door.ask(headers=signed(key.access_key_id)) == 403
    assert door.seen == []


@pytest.mark.parametrize("key_id", ["111122223333", "test", "AKIAAAAAAAAAAAAAAAAA", "000000000000"])
def test_a_key_that_was_not_issued_does_not(door, key_id):
    assert door.ask(headers=signed(key_id)) == 403
    assert door.seen == []


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost:80", "x.localhost", "a1b2.execute-api.127.0.0.1:80", "[::1]:80"]
)
def test_a_host_of_this_machine_goes_through(door, host):
    key = door.keys.issue("learner", "111122223333")
    assert door.ask(headers={**signed(key.access_key_id), "host": host}) == 200


@pytest.mark.parametrize(
    "host", ["example.com", "127.0.0.1.example.com", "localhost.example.com", "", "10.0.0.1", "x127.0.0.1"]
)
def test_another_host_does_not(door, host):
    key = door.keys.issue("learner", "111122223333")
    assert door.ask(headers={**signed(key.access_key_id), "host": host}) == 403
    assert door.seen == []


def test_a_body_that_is_too_long_is_refused_before_it_is_read(door):
    assert door.ask(headers={"content-length": str(1 << 40)}) == 413
    assert door.seen == []


def test_headers_that_only_the_engine_sets_are_taken_out(door):
    key = door.keys.issue("learner", "111122223333")
    door.ask(headers={**signed(key.access_key_id), "x-ministack-invoke-depth": "9", "x-kata-request-id": "forged"})
    names = {name for name, _ in door.seen[0]["headers"]}
    assert not any(name.startswith((b"x-ministack-", b"x-kata-")) for name in names)


def test_an_unknown_key_set_is_refused(door):
    with pytest.raises(ValueError, match="there is no key set"):
        door.keys.issue("nonsense", "111122223333")


def test_accounts_are_new_and_have_twelve_digits(door):
    found = {door.keys.new_account() for _ in range(200)}
    assert len(found) == 200 and all(len(account) == 12 and account.isdigit() for account in found)


def test_the_log_keeps_the_newest_entries_in_order():
    log = RequestLog()
    for number in range(3):
        log.add(time=0.0, key_set="", account=str(number), service="", operation="", path="", status=200, via="")
    assert [entry["number"] for entry in log.since(1)] == [2, 3]
    assert [entry["account"] for entry in log.since(0, "1")] == ["1"]
    assert log.last == 3


PUBLIC = {"x-amz-target": "AWSCognitoIdentityService.GetId"}


def test_a_request_without_a_key_works_in_the_account_that_owns_what_it_names(door):
    door.owners.register(lambda asked: "111122223333" if asked.path == "/of-one" else None)
    assert [door.ask("/of-one"), door.ask("/of-nobody")] == [200, 200]
    assert door.accounts == ["111122223333", "000000000000"]
    logged = [(entry["key_set"], entry["account"]) for entry in door.door.log.since(0)]
    assert logged == [("unsigned", "111122223333"), ("", "")]


def test_what_is_read_to_find_an_owner_is_passed_on_whole(door):
    door.owners.register(lambda asked: asked.body.decode() or None, lambda asked: True)
    door.ask(headers=PUBLIC, body=(b"11112222", b"3333"))
    assert door.accounts == ["111122223333"]
    assert door.bodies == [b"111122223333"]


def test_a_key_counts_more_than_a_name(door):
    door.owners.register(lambda asked: "999999999999")
    key = door.keys.issue("learner", "111122223333")
    door.ask("/", headers=signed(key.access_key_id))
    assert [entry["account"] for entry in door.door.log.since(0)] == ["111122223333"]


def test_a_body_too_long_to_look_for_a_name_is_passed_on_whole(door):
    door.owners.register(lambda asked: asked.body.decode() or None, lambda asked: True)
    door.ask(headers=PUBLIC, body=(b"1" * (1 << 20), b"2", b"3"))
    assert door.accounts == ["000000000000"]
    assert door.bodies == [b"1" * (1 << 20) + b"23"]


@pytest.fixture
def taken(door) -> list[bytes]:
    """What came for the token `secret`."""
    found: list[bytes] = []
    door.door.uploads["secret"] = found.append
    return found


def test_an_upload_is_taken_once_and_goes_no_further(door, taken):
    assert door.ask("/_upload/secret", method="PUT", body=(b"one, ", b"two")) == 200
    assert door.ask("/_upload/secret", method="PUT", body=(b"again",)) == 404
    assert taken == [b"one, two"] and door.seen == []


@pytest.mark.parametrize(
    ("path", "method"), [("/_upload/other", "PUT"), ("/_upload/secret", "GET"), ("/_upload/", "PUT")]
)
def test_without_its_token_an_upload_is_not_taken(door, taken, path, method):
    assert door.ask(path, method=method, body=(b"mine",)) == 404
    assert taken == [] and door.seen == []


def test_an_upload_is_read_to_a_limit(door, taken):
    assert door.ask("/_upload/secret", method="PUT", body=(b"x" * 40_000,) * 5) == 200
    assert [len(body) for body in taken] == [80_000]
