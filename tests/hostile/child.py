"""The program of a sandboxed child in these tests: runs attacks, a line of JSON each, and reports in lines."""

import json
import socket


def main(control):
    import attacks

    with socket.socket(fileno=control) as channel, channel.makefile("rb") as tasks:
        for line in tasks:
            task = json.loads(line)
            answer = getattr(attacks, task["attack"])(**task["arguments"])
            channel.sendall(json.dumps(answer).encode() + b"\n")
