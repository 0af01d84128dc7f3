"""The program of a sandboxed child in these tests: runs one attack and reports on the control socket."""

import json
import socket
import sys


def main(control):
    task = json.loads(sys.argv[1])
    import attacks

    with socket.socket(fileno=control) as channel:
        answer = getattr(attacks, task["attack"])(**task["arguments"])
        channel.sendall(json.dumps(answer).encode())
