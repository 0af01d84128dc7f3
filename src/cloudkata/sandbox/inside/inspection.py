"""Tells what a program in the sandbox can see and do, for `kata doctor`."""

import json
import os
import resource
import socket


def _connects(address):
    with socket.socket() as probe:
        probe.settimeout(0.3)
        try:
            probe.connect(address)
        except OSError:
            return False
        return True


def _writes(path):
    try:
        with open(os.path.join(path, ".kata-probe"), "w"):
            pass
    except OSError:
        return False
    os.unlink(os.path.join(path, ".kata-probe"))
    return True


def _lists(path):
    try:
        return bool(os.listdir(path))
    except OSError:
        return False


def main(control):
    host_port, host_file, host_pid = json.loads(os.environ["KATA_PROBE"])
    try:
        os.kill(host_pid, 0)
        sees_host = os.path.exists(f"/proc/{host_pid}/environ")
    except OSError:
        sees_host = False
    found = {
        "processes": sum(name.isdigit() for name in os.listdir("/proc")) if os.path.isdir("/proc") else -1,
        "sees_host_process": sees_host,
        "reads_host_file": os.path.exists(host_file),
        "lists_home": _lists("/root") or _lists("/home"),
        "connects_to_host": _connects(("127.0.0.1", host_port)),
        "connects_outside": _connects(("192.0.2.1", 80)),
        "writes_code": _writes(os.getcwd()),
        "is_root": os.getuid() == 0,
        "processes_limited": resource.getrlimit(resource.RLIMIT_NPROC)[0] != resource.RLIM_INFINITY,
    }
    with socket.socket(fileno=control) as channel:
        channel.sendall(json.dumps(found).encode())
