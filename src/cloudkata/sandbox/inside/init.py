"""The first program in a sandbox: sets limits, opens the way to the front door, runs the program proper.

Started as `python -I -S -u init.py CONTROL`, the descriptor of one end of a socket pair, on which its
configuration arrives. It sends the engine one listening socket on this namespace's own loopback, so that the engine
itself answers what connects to it: there is no other way out. It must import little, since every cold start pays
for it.
"""

import json
import os
import sys


def _limits(limits):
    import resource

    for name, value in limits.items():
        kind = getattr(resource, "RLIMIT_" + name)
        _, hard = resource.getrlimit(kind)
        if hard != resource.RLIM_INFINITY:
            value = min(value, hard)
        resource.setrlimit(kind, (value, value))


def _open_way(port, control):
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(128)
        with socket.socket(fileno=os.dup(control)) as channel:
            socket.send_fds(channel, [b"L"], [listener.fileno()])


def _end_with(lifeline):
    """Without namespaces nothing else ends this process group when the engine is killed."""
    import signal
    import threading

    def watch():
        os.read(lifeline, 1)
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


def _read(control):
    def exactly(size):
        data = b""
        while len(data) < size:
            chunk = os.read(control, size - len(data))
            if not chunk:
                os._exit(1)  # who started this is gone
            data += chunk
        return data

    return json.loads(exactly(int.from_bytes(exactly(4), "big")))


def main():
    control = int(sys.argv[1])
    config = _read(control)
    _limits(config["limits"])
    os.environ.update(config["env"])
    if "TZ" in config["env"]:
        import time

        time.tzset()
    if config["port"]:
        _open_way(config["port"], control)
    if config["lifeline"] >= 0:
        _end_with(config["lifeline"])
    os.set_inheritable(control, False)
    trusted = [path for path in sys.path if path] + config["path_last"]
    sys.path[:] = trusted  # what runs the program is imported before any file of the program can take its place
    __import__(config["module"])
    sys.path[:] = config["path_first"] + trusted
    sys.argv[:] = [config["module"], *config["args"]]
    sys.modules[config["module"]].main(control)


if __name__ == "__main__":
    main()
