"""Parts of the edge that need no engine: what is asked of a door, a machine without Node, whose a host name is."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from cloudkata.engine.edge.javascript import NoNode, Programs
from cloudkata.engine.owners import Unsigned
from cloudkata.engine.viewers import _owner
from cloudkata.targets import edge_probes, web


@contextmanager
def door():
    """A server that answers with what it was asked; its address."""

    class Echo(BaseHTTPRequestHandler):
        def do_GET(self):
            body = f"{self.path} {self.headers['Host']} {self.headers.get('X-Forwarded-Proto')}".encode()
            self.send_response(302)
            for value in ("a=1", "b=2"):
                self.send_header("Set-Cookie", value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    with HTTPServer(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(("scheme", "said"), [("http", "None"), ("https", "https")])
def test_the_door_is_asked_for_the_host_and_the_scheme_of_the_url(scheme, said):
    with door() as address:
        page = web.request("GET", f"{scheme}://d1.cloudfront.net/a/?b=c", door=address)
    assert page.text == f"/a/?b=c d1.cloudfront.net {said}"


def test_redirects_are_not_followed_and_repeated_headers_are_joined():
    with door() as address:
        page = web.request("GET", "http://d1.cloudfront.net/", door=address)
    assert (page.status, page.headers["set-cookie"]) == (302, "a=1, b=2")


def test_a_machine_without_node_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoNode, match=r"need Node\.js"):
        Programs().run("111122223333", "function handler(e) { return e; }", {}, {}, {})


def test_without_node_the_probe_shows_nothing_and_says_why(monkeypatch, tmp_path):
    class Session:
        target = "embedded"

    class Bench:
        session = Session()

    monkeypatch.setenv("PATH", str(tmp_path))
    shown, seen = edge_probes._functions(Bench())
    assert not shown and "Node.js" in seen


@pytest.mark.parametrize(
    ("host", "account"),
    [
        ("d1.cloudfront.net", "111122223333"),
        ("D1.CloudFront.net:8080", "111122223333"),
        ("d2.cloudfront.net", None),
        ("d1.cloudfront.net.example.com", None),
        ("localhost", None),
    ],
)
def test_a_distributions_host_leads_to_its_account(monkeypatch, host, account):
    from ministack.services import cloudfront

    kept = {("111122223333", "E1"): {"DomainName": "d1.cloudfront.net"}}
    monkeypatch.setattr(cloudfront._distributions, "_data", kept)
    assert _owner(Unsigned("GET", "/", {"host": host}, b"")) == account
