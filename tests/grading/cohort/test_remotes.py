"""What is fetched of a git repository, from local ones: the protocol `file` is open to these tests alone."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from cloudkata.grading.cohort import remotes
from cloudkata.grading.cohort.remotes import fetch
from cloudkata.grading.cohort.tray import Limits, Refused, Tray


def git(folder, *words):
    env = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "protocol.file.allow=always"]
    done = subprocess.run(["git", *who, *words], cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    (folder / "deploy.py").write_text("one\n")
    commit(folder)
    return folder


def commit(folder):
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=x")


def take(tmp_path, repository, ref="", **limits):
    tray = Tray(tmp_path / "tray", Limits(**limits))
    fetch(f"file://{repository}", ref, tray, tmp_path / "git", protocols=("file",))
    return {path.relative_to(tray.root).as_posix(): path.read_text() for path in tray.root.rglob("*") if path.is_file()}


def refused(*args, **options):
    with pytest.raises(Refused) as caught:
        take(*args, **options)
    assert str(caught.value).isprintable()
    return str(caught.value)


def test_the_last_commit_is_taken_and_no_other(tmp_path, repository):
    (repository / "deploy.py").write_text("two\n")
    (repository / "app").mkdir()
    (repository / "app" / "run").write_text("x")
    (repository / "app" / "run").chmod(0o755)
    commit(repository)
    assert take(tmp_path, repository) == {"deploy.py": "two\n", "app/run": "x"}
    assert (tmp_path / "tray" / "app" / "run").stat().st_mode & 0o777 == 0o755
    assert git(tmp_path / "git", "rev-list", "--count", "FETCH_HEAD") == "1"


def test_a_branch_is_taken_by_its_name(tmp_path, repository):
    git(repository, "checkout", "--quiet", "-b", "hand-in/1")
    (repository / "deploy.py").write_text("two\n")
    commit(repository)
    git(repository, "checkout", "--quiet", "main")
    assert take(tmp_path, repository, "hand-in/1") == {"deploy.py": "two\n"}


def test_no_filter_attribute_or_hook_of_the_repository_runs(tmp_path, repository):
    mark = tmp_path / "ran"
    (repository / ".gitattributes").write_text("*.py filter=evil text eol=crlf ident export-subst export-ignore\n")
    (repository / ".lfsconfig").write_text("[lfs]\nurl = https://example.org/\n")
    git(repository, "config", "filter.evil.smudge", f"touch {mark}")
    git(repository, "config", "uploadpack.packObjectsHook", f"touch {mark}")
    for name in ("post-checkout", "post-merge", "reference-transaction"):
        hook = repository / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {mark}\n")
        hook.chmod(0o755)
    (repository / "deploy.py").write_text("$Id$ $Format:%H$\n")
    commit(repository)
    mark.unlink(missing_ok=True)
    assert take(tmp_path, repository)["deploy.py"] == "$Id$ $Format:%H$\n"
    assert not mark.exists()


def test_submodules_are_left_out(tmp_path, repository):
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "--quiet")
    (other / "x").write_text("x")
    commit(other)
    git(repository, "submodule", "--quiet", "add", str(other), "module")
    commit(repository)
    assert set(take(tmp_path, repository)) == {".gitmodules", "deploy.py"}


def test_a_link_is_refused(tmp_path, repository):
    os.symlink("/etc/passwd", repository / "data")
    commit(repository)
    assert "data is a link" in refused(tmp_path, repository)


def test_a_path_that_git_itself_would_not_check_out_is_refused(tmp_path, repository):
    blob = git(repository, "rev-parse", "HEAD:deploy.py")
    tree = (
        subprocess.run(
            ["git", "mktree", "-z"],
            input=f"100644 blob {blob}\t..\0".encode(),
            cwd=repository,
            capture_output=True,
            check=True,
        )
        .stdout.decode()
        .strip()
    )
    made = git(repository, "commit-tree", "-m", "x", tree)
    git(repository, "update-ref", "refs/heads/main", made)
    assert "leads out" in refused(tmp_path, repository)


def test_sizes_are_limited(tmp_path, repository):
    (repository / "big").write_bytes(os.urandom(3000))
    commit(repository)
    assert "big has 3000 bytes" in refused(tmp_path, repository, file=2000)


def test_a_tree_that_unfolds_without_end_is_refused(tmp_path, repository):
    """Each of its levels has the next one twenty times: a few objects, and more files than fit on any disk."""
    line = f"100644 blob {git(repository, 'rev-parse', 'HEAD:deploy.py')}\tx\n"
    for _ in range(8):
        found = subprocess.run(
            ["git", "mktree"], input=line, text=True, cwd=repository, capture_output=True, check=True
        )
        line = "".join(f"040000 tree {found.stdout.strip()}\tf{number:02}\n" for number in range(20))
    made = git(repository, "commit-tree", "-m", "x", found.stdout.strip())
    git(repository, "update-ref", "refs/heads/main", made)
    began = time.monotonic()
    assert "more than 2000 files" in refused(tmp_path, repository)
    assert time.monotonic() - began < 30


def test_a_remote_that_does_not_answer_is_given_up(tmp_path, monkeypatch):
    silent = tmp_path / "ssh"
    silent.write_text("#!/bin/sh\nexec sleep 600\n")
    silent.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(remotes, "_SECONDS", 1.0)
    with pytest.raises(Refused, match="not there within 1 seconds"):
        fetch("ssh://example.org/x", "", Tray(tmp_path / "tray"), tmp_path / "git")
    assert not [name for name in os.listdir("/proc") if name.isdigit() and _command(name)[1:2] == [str(silent)]]


def _command(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return []


def test_ssh_is_told_to_ask_nobody(tmp_path, monkeypatch):
    said = tmp_path / "ssh"
    said.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/words\nenv > {tmp_path}/env\nexit 255\n')
    said.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("GIT_SSH_COMMAND", "false")
    with pytest.raises(Refused, match="git could not fetch it"):
        fetch("git@example.org:ada/lab.git", "", Tray(tmp_path / "tray"), tmp_path / "git")
    words = (tmp_path / "words").read_text().split("\n")
    assert "-oBatchMode=yes" in words and "git@example.org" in words
    env = dict(line.split("=", 1) for line in (tmp_path / "env").read_text().splitlines() if "=" in line)
    assert env["GIT_TERMINAL_PROMPT"] == "0" and env["SSH_ASKPASS"] == "true"


ADDRESSES = [
    "file:///etc",
    "/etc",
    "../x",
    "http://example.org/x",
    "git://example.org/x",
    "ext::sh -c touch% /x",
    "--upload-pack=touch /x",
    "https://-oProxyCommand=x/y",
    "-x@host:path",
    "git@-host:path",
    "git@host:-path",
    "git@host::path",
    "https://user:password@example.org/x",
    "https://example.org/a b",
    "https://example.org/a\nb",
    "",
]


@pytest.mark.parametrize("url", ADDRESSES)
def test_other_addresses_are_refused_before_git_sees_them(url, tmp_path):
    with pytest.raises(Refused) as caught:
        fetch(url, "", Tray(tmp_path / "tray"), tmp_path / "git")
    assert not (tmp_path / "git").exists() and "password@" not in str(caught.value)


@pytest.mark.parametrize("ref", ["--upload-pack=x", "a:b", "+main", "a..b", "a b", "@{-1}"])
def test_a_ref_that_is_none_is_refused(ref, tmp_path, repository):
    assert "no branch or tag" in refused(tmp_path, repository, ref)
    assert not (tmp_path / "git").exists()


def test_git_itself_refuses_a_protocol_that_is_not_open(tmp_path, repository, monkeypatch):
    """Also where a setting of the user's leads an address elsewhere."""
    config = tmp_path / "config"
    config.write_text(f'[url "file://{repository}"]\n\tinsteadOf = https://example.org/lab\n')
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".gitconfig").write_text(config.read_text())
    with pytest.raises(Refused, match="not allowed"):
        fetch("https://example.org/lab", "", Tray(tmp_path / "tray"), tmp_path / "git")


def test_a_repository_that_is_not_there_gets_gits_own_reason(tmp_path):
    assert "git could not fetch it" in refused(tmp_path, tmp_path / "nowhere")
