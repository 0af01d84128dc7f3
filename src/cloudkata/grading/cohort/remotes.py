"""Takes a git repository in: the files of one commit, read from git's own store, which needs no working tree.

So no filter, hook, attribute or setting of the repository takes part, links stay entries in a list, and submodules are
left out. Only https and ssh are spoken, nobody is asked for a password, and time and size are limited. Settings of the
user who runs this hold, so that a credential helper or an ssh agent works for private repositories.
"""

from __future__ import annotations

import contextlib
import os
import re
import resource
import selectors
import signal
import subprocess
import time
from collections.abc import Collection, Iterator
from pathlib import Path

from cloudkata.grading.cohort.tray import MB, Refused, Tray, named

PROTOCOLS = ("https", "ssh")
_SECONDS = 90.0
_PACK_BYTES = 200 * MB
_LIST_BYTES = 4 * MB
_CHUNK = 1 << 16
_FILE, _EXECUTABLE, _LINK, _SUBMODULE = "100644", "100755", "120000", "160000"
_URL = re.compile(r"^(?P<protocol>[a-z][a-z0-9+.-]*)://(?P<place>[^\s\x00-\x1f]+)$", re.ASCII)
_SCP = re.compile(r"^[A-Za-z0-9._]+@[A-Za-z0-9][A-Za-z0-9.-]*:(?!:)[^\s\x00-\x1f-][^\s\x00-\x1f]*$", re.ASCII)
_REF = re.compile(r"^[A-Za-z0-9_][A-Za-z0-9._/-]*$", re.ASCII)
_SETTINGS = {
    "protocol.allow": "never",
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "core.attributesFile": os.devnull,
    "fetch.recurseSubmodules": "false",
    "fetch.fsckObjects": "false",
    "fetch.unpackLimit": "1",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "pack.threads": "1",
    "http.lowSpeedLimit": "1000",
    "http.lowSpeedTime": "30",
}


def fetch(url: str, ref: str, tray: Tray, scratch: Path, protocols: Collection[str] = PROTOCOLS) -> None:
    """Fetch one commit (of `ref`, or what the remote's HEAD names) and put its files into `tray`. Raises Refused.

    `scratch` is a folder that is made for git and not removed. Tests allow another of `protocols`.
    """
    _check(url, ref, protocols)
    git = _Git(scratch, protocols)
    git.run("init", "--quiet", "--bare", "--template=", str(scratch))
    git.run("fetch", "--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", "--", url, ref or "HEAD")
    wanted = []
    for entry in git.lines("ls-tree", "-r", "-l", "-z", "--full-tree", "FETCH_HEAD"):
        about, _, name = entry.partition(b"\t")
        mode, _, identity, size = about.decode("ascii").split()
        path = os.fsdecode(name)
        if mode == _SUBMODULE or not tray.wants(path):
            continue
        if mode == _LINK:
            raise Refused(f"{named(path)} is a link; commit the file itself")
        tray.announce(path, int(size))
        wanted.append((path, identity, mode == _EXECUTABLE))
    for path, identity, executable in wanted:
        with contextlib.closing(git.output("cat-file", "blob", identity)) as chunks:
            tray.take(path, chunks, executable=executable)


def _check(url: str, ref: str, protocols: Collection[str]) -> None:
    found = _URL.match(url)
    if found is None and not (_SCP.match(url) and "ssh" in protocols):
        raise Refused(f"{named(url)} is no address of a git repository by https or ssh")
    if found is not None:
        if found["protocol"] not in protocols or found["place"].startswith("-"):
            raise Refused(f"{named(url)}: repositories are fetched by {' and '.join(protocols)} only")
        host = found["place"].split("/", 1)[0]
        if ":" in host.rpartition("@")[0]:
            raise Refused("there is a password in its address; take it out")
    if ref and (not _REF.match(ref) or ".." in ref):
        raise Refused(f"{named(ref)} is no branch or tag")


class _Git:
    """Runs git in a repository of its own, until the time for all of it is up."""

    def __init__(self, folder: Path, protocols: Collection[str]) -> None:
        folder.mkdir(mode=0o700)
        self._folder = folder
        self._deadline = time.monotonic() + _SECONDS
        settings = _SETTINGS | {f"protocol.{name}.allow": "always" for name in protocols}
        self._env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")} | {
            "GIT_DIR": str(folder),
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "true",
            "SSH_ASKPASS": "true",
            "SSH_ASKPASS_REQUIRE": "never",
            "GIT_SSH_COMMAND": "ssh -oBatchMode=yes -oConnectTimeout=20 -oForwardAgent=no -oClearAllForwardings=yes",
            "GIT_LFS_SKIP_SMUDGE": "1",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "LC_ALL": "C",
            "GIT_CONFIG_COUNT": str(len(settings)),
        }
        for number, (name, value) in enumerate(settings.items()):
            self._env |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}

    def run(self, *words: str) -> None:
        for _ in self.output(*words):
            pass

    def lines(self, *words: str) -> Iterator[bytes]:
        """What git writes, in parts that a NUL ends."""
        rest, total = b"", 0
        for chunk in self.output(*words):
            total += len(chunk)
            if total > _LIST_BYTES:
                raise Refused("the repository has too many files; send only those that you wrote")
            *parts, rest = (rest + chunk).split(b"\0")
            yield from parts

    def output(self, *words: str) -> Iterator[bytes]:
        """What git writes, as it comes. Raises Refused when it fails or takes too long."""
        process = subprocess.Popen(
            ["git", *words],
            env=self._env,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        _limit(process.pid)
        assert process.stdout is not None and process.stderr is not None
        said = b""
        try:
            with selectors.DefaultSelector() as ready:
                for stream in (process.stdout, process.stderr):
                    ready.register(stream, selectors.EVENT_READ)
                while ready.get_map():
                    left = self._deadline - time.monotonic()
                    events = ready.select(left) if left > 0 else []
                    if not events:
                        raise Refused(f"the repository was not there within {_SECONDS:.0f} seconds")
                    for selected, _ in events:
                        chunk = os.read(selected.fd, _CHUNK)
                        if not chunk:
                            ready.unregister(selected.fileobj)
                        elif selected.fileobj is process.stderr:
                            said = (said + chunk)[-_CHUNK:]
                        else:
                            yield chunk
            if process.wait(max(0.1, self._deadline - time.monotonic())):
                raise Refused(f"git could not fetch it: {_reason(said)}")
        except subprocess.TimeoutExpired as error:
            raise Refused(f"the repository was not there within {_SECONDS:.0f} seconds") from error
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            process.stdout.close()
            process.stderr.close()


def _limit(pid: int) -> None:
    """Let git and what it starts write no file that is larger than a pack may be, where the system can do that."""
    if hasattr(resource, "prlimit"):
        with contextlib.suppress(OSError):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (_PACK_BYTES, _PACK_BYTES))


def _reason(said: bytes) -> str:
    """The sentence of git's that says most."""
    lines = [line.strip() for line in said.decode("utf-8", "replace").splitlines() if line.strip()]
    fatal = [line for line in lines if line.startswith(("fatal:", "error:", "ERROR"))]
    chosen = (fatal or lines or ["it gave no reason"])[0]
    return named(re.sub(r"^(fatal|error): ", "", re.sub(r"//[^/@\s]*@", "//", chosen)))
