"""What only the owner of an engine may ask of it, over unix sockets with mode 0600."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from urllib.parse import parse_qs

from cloudkata.engine import user_pools
from cloudkata.engine.context import Context


class _Refused(Exception):
    pass


def application(context: Context, stop: asyncio.Event):
    """An ASGI application, POST: /keys, /settle, /advance, /factor, /watch, /unwatch, /resign, /stop.

    GET: /status, /log, /messages.
    """
    assert context.door is not None
    door = context.door

    def keys(body: dict) -> dict:
        account = body.get("account") or context.keys.new_account()
        key = context.keys.issue(body["set"], account)
        return {"account": account, "id": key.access_key_id, "secret": key.secret_access_key}

    def settle(body: dict) -> dict:
        return {"pending": context.activity.settle(float(body.get("seconds", 30)))}

    def advance(body: dict) -> dict:
        context.clock.advance(float(body["seconds"]))
        return {"now": context.clock.now()}

    def factor(body: dict) -> dict:
        context.clock.set_factor(float(body["factor"]))
        return {"factor": context.clock.factor}

    def status(body: dict) -> dict:
        pid = os.getpid()
        return {
            "pid": pid,
            "port": context.port,
            "behaviours": context.behaviours,
            "now": context.clock.now(),
            "factor": context.clock.factor,
            "pending": context.activity.pending(),
            "isolated": context.isolated,
        }

    def log(body: dict) -> dict:
        return {"last": door.log.last, "entries": door.log.since(int(body.get("since", 0)), body.get("account", ""))}

    def watch(body: dict) -> dict:
        door.watches.add(body["name"], body["text"])
        return {}

    def unwatch(body: dict) -> dict:
        door.watches.remove(body["name"])
        return {}

    def messages(body: dict) -> dict:
        from ministack.services import ses

        found = [
            {"to": mail["To"], "subject": mail["Subject"], "text": mail["BodyText"] or mail["BodyHtml"]}
            for (account, _, _), mails in ses._sent_emails.all_items()
            for mail in mails
            if account == body["account"]
        ]
        return {"messages": found}

    def resign(body: dict) -> dict:
        return {"token": user_pools.resigned(body["token"], body["claims"])}

    def end(body: dict) -> dict:
        assert context.loop is not None
        context.loop.call_soon_threadsafe(context.loop.call_later, 0.01, stop.set)
        return {}

    routes = {
        ("POST", "/keys"): keys,
        ("POST", "/settle"): settle,
        ("POST", "/advance"): advance,
        ("POST", "/factor"): factor,
        ("POST", "/watch"): watch,
        ("POST", "/unwatch"): unwatch,
        ("POST", "/resign"): resign,
        ("POST", "/stop"): end,
        ("GET", "/status"): status,
        ("GET", "/log"): log,
        ("GET", "/messages"): messages,
    }

    async def app(scope, receive, send):
        if scope["type"] != "http":
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        answer, code = {}, 200
        try:
            route = routes.get((scope["method"], scope["path"]))
            if route is None:
                raise _Refused(f"there is no {scope['method']} {scope['path']}")
            query = {name: values[0] for name, values in parse_qs(scope["query_string"].decode()).items()}
            answer = await asyncio.to_thread(route, query | (json.loads(body) if body else {}))
        except (_Refused, ValueError, KeyError, TypeError) as error:
            answer, code = {"error": str(error) or type(error).__name__}, 400
        data = json.dumps(answer).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(data)).encode())]
        await send({"type": "http.response.start", "status": code, "headers": headers})
        await send({"type": "http.response.body", "body": data})

    return app


async def take_listeners(context: Context, ways: socket.socket) -> None:
    """Serve the listening sockets that sandboxes of the owner hand over, each until its connection here closes."""
    assert context.loop is not None
    loop = context.loop
    while True:
        connection, _ = await loop.sock_accept(ways)
        loop.create_task(_take_one(context, connection))


async def _take_one(context: Context, connection: socket.socket) -> None:
    assert context.loop is not None and context.door is not None
    loop = context.loop
    connection.setblocking(False)
    arrived = asyncio.Event()
    loop.add_reader(connection, arrived.set)
    await arrived.wait()
    loop.remove_reader(connection)
    try:
        name, descriptors, _, _ = socket.recv_fds(connection, 200, 1)
    except OSError:
        connection.close()
        return
    if not descriptors:
        connection.close()
        return
    listener = socket.socket(fileno=descriptors[0])
    server = await context.serve(listener, context.door.via(name.decode("utf-8", "replace")))  # type: ignore[operator]
    try:
        await loop.sock_sendall(connection, b"1")
        await loop.sock_recv(connection, 1)
    except OSError:
        pass
    server.close()
    connection.close()
