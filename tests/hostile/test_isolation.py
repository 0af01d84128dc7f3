"""Files, processes, namespaces and privileges: what a program inside sees and may do."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

import cloudkata

CHECKOUT = Path(cloudkata.__file__).parents[2]
HOST_FILES = {
    "root-home": "/root",
    "home": "/home",
    "shadow": "/etc/shadow",
    "passwd": "/etc/passwd",
    "hosts": "/etc/hosts",
    "ssh": "/etc/ssh",
    "var-lib": "/var/lib",
    "var-log": "/var/log",
    "run": "/run",
    "docker": "/var/run/docker.sock",
    "boot": "/boot",
    "sys": "/sys",
    "cgroup": "/sys/fs/cgroup",
    "mnt": "/mnt",
    "srv": "/srv",
    "host-opt": "/usr/local",
    "kernel-memory": "/dev/mem",
    "kernel-log": "/dev/kmsg",
    "fuse": "/dev/fuse",
    "kvm": "/dev/kvm",
    "checkout": str(CHECKOUT),
    "our-package": str(Path(cloudkata.__file__).parent),
    "environment": sys.prefix,
    "init-root": "/proc/1/root/root",
    "init-cwd": "/proc/1/cwd/root",
    "kcore": "/proc/kcore",
}


def nothing(answer: dict) -> bool:
    return "refused" in answer or answer["seen"] in ([], "")


@pytest.mark.parametrize("path", HOST_FILES.values(), ids=HOST_FILES)
def test_host_file_is_not_there(inside, path):
    assert nothing(inside("look", path=path))


@pytest.mark.parametrize("path", ["", "admin.sock", "ways.sock", "owner.lock", "engine.log", "code", "s3"])
def test_the_engines_folder_is_not_there(inside, engine, path):
    assert (engine.state / path).exists() or path == "s3"
    assert nothing(inside("look", path=str(engine.state / path)))


@pytest.mark.parametrize("name", ["admin.sock", "ways.sock"])
def test_the_engines_sockets_are_not_there(inside, engine, name):
    assert "refused" in inside("connect_unix", path=str(engine.state / name))


def test_the_hosts_temporary_files_are_not_there(inside, tmp_path):
    (tmp_path / "secret").write_text("kept")
    assert nothing(inside("look", path=str(tmp_path / "secret")))


def test_only_tmp_is_writable(inside):
    folders = inside("writable_folders")["folders"]
    assert [folder for folder in folders if folder != "/tmp" and not folder.startswith("/tmp/")] == []


@pytest.mark.parametrize(
    "path",
    [
        "/var/task/attacks.py",
        "/var/task/new",
        "/opt/new",
        "/var/runtime/boto3/__init__.py",
        "/var/kata/init.py",
        "/var/lang/new",
        "/usr/bin/python3",
        "/usr/lib/new",
        "/etc/passwd",
        "/new",
        "/dev/shm/new",
        "/dev/new",
        "/proc/new",
    ],
)
def test_everything_but_tmp_is_read_only(inside, path):
    assert "refused" in inside("write", path=path)


def test_no_process_of_the_host_is_seen(inside, engine, bystander):
    found = inside("processes")["processes"]
    assert found and len(found) <= 4
    everything = " ".join(entry["command"] + entry["environment"] for entry in found)
    assert bystander.secret not in everything
    assert "pytest" not in everything and "cloudkata" not in everything and str(engine.state) not in everything


def test_no_environment_of_the_host_is_seen(inside, bystander):
    names = inside("environment")["names"]
    assert bystander.secret not in names.values()
    hosts = {name for name in os.environ if name not in ("PATH", "LANG", "HOME", "TZ", "PWD", "TMPDIR", "LC_ALL")}
    known = {"PYTHONDONTWRITEBYTECODE", "LD_LIBRARY_PATH", "LC_CTYPE"}  # Python sets the last one itself
    assert {name for name in names if name in hosts and not name.startswith("AWS_")} <= known


def test_no_descriptor_of_the_host_is_inherited(inside):
    found = inside("descriptors")["descriptors"]
    kinds = {name: target.split(":")[0] for name, target in found.items()}
    files = [
        target for target in found.values() if target.startswith("/") and not target.startswith(("/dev/null", "/proc"))
    ]
    assert files == []
    assert list(kinds.values()).count("socket") <= 1, found  # the control socket


@pytest.mark.parametrize("who", ["engine", "bystander", "tests"])
def test_no_process_of_the_host_can_be_read_or_ended(inside, engine, bystander, who):
    pid = {"engine": engine.pid, "bystander": bystander.pid, "tests": os.getpid()}[who]
    assert set(inside("memory_of", pid=pid).values()) <= {"ENOENT", "ESRCH", "EPERM", "EACCES"}
    assert inside("end_processes", pids=[pid])[str(pid)] in ("ESRCH", "EPERM")
    assert engine.alive and bystander.poll() is None


def test_ending_everyone_ends_nobody_outside(child, engine, bystander):
    child.run("end_processes", {"pids": [-1, 1]}, 5)
    assert engine.alive and bystander.poll() is None


def test_mounting_is_refused(inside):
    assert not any(inside("mounting").values())


def test_namespaces_are_refused(inside):
    assert not any(inside("namespaces").values())


def test_nobody_can_become_somebody_else(inside):
    found = inside("identity")
    assert found["uid"] != 0
    assert set(found["became"]) <= {found["uid"]}
    assert set(found["capabilities"].values()) == {0}
    assert found["no_new_privs"] == 1


def test_setuid_programs_gain_nothing(inside):
    found = inside("setuid_programs")
    assert found["effective"] in ([], [""], [str(found["uid"])])


def test_kernel_settings_are_refused(inside):
    assert inside("kernel_settings")["written"] == []


def test_only_the_runtimes_packages_can_be_imported(inside):
    names = ["cloudkata", "ministack", "pytest", "hypercorn", "cryptography", "pip", "typer", "kata_lab"]
    assert inside("imports", names=names)["found"] == []


def test_the_variables_of_a_function_do_not_reach_a_program_that_is_root_still(engine, learner):
    """LD_PRELOAD in a function's settings is for the function, not for what starts it."""
    from .conftest import invoke, make_function

    source = "import os\ndef handler(event, context):\n    return [os.getuid(), os.path.exists('/tmp/preloaded')]"
    make_function(
        engine,
        learner,
        "preload",
        {"app.py": source, "preload.so": _shared_object()},
        Environment={"Variables": {"LD_PRELOAD": "/var/task/preload.so", "LD_LIBRARY_PATH": "/var/task"}},
    )
    error, answer = invoke(engine, learner, "preload", {})
    if error is None:
        assert answer[0] != 0
    said = (engine.state / "engine.log").read_text(errors="replace")
    assert "ran as 0" not in said + str(answer)


def _shared_object() -> bytes:
    """A library that says who runs it and ends the program if that is root."""
    import shutil
    import subprocess
    import tempfile

    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return b"\x7fELF not a library, which the loader only warns of"
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "a.c")
        source.write_text(
            "#include <stdio.h>\n#include <unistd.h>\n"
            "__attribute__((constructor)) void f(void) {\n"
            '  if (getuid() == 0) { fprintf(stderr, "ran as 0\\n"); _exit(1); }\n}\n'
        )
        subprocess.run([compiler, "-shared", "-fPIC", "-o", f"{folder}/a.so", source], check=True)
        return Path(folder, "a.so").read_bytes()
