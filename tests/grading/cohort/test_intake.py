"""What is taken of a submission, and the sentence for what is not."""

import io
import os
import shutil
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from cloudkata.course import Course, CourseError, find_course
from cloudkata.grading.cohort import names
from cloudkata.grading.cohort.archives import unpack
from cloudkata.grading.cohort.folders import copy_folder
from cloudkata.grading.cohort.intake import find_submissions, fingerprint, prepare
from cloudkata.grading.cohort.tray import MB, Limits, Refused, Tray

MINI = Path(__file__).parents[2] / "mini_course"
COURSE = Course(MINI, find_course(MINI).labs)
TABLE, SCRIPT, FUNCTION = "00-table", "01-script", "02-function"
DEPLOY = 'def deploy(lab):\n    lab.outputs["Table"] = "x"\n'


@pytest.fixture
def place(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    return folder


@pytest.fixture
def take(tmp_path, place):
    """Take the only submission there is in, for a lab; the folder to grade."""

    def took(slug=TABLE):
        (one,) = find_submissions(place)
        scratch = tmp_path / "scratch"
        scratch.mkdir()
        return prepare(one, COURSE, slug, scratch)

    return took


def refused(call, *args):
    with pytest.raises(Refused) as caught:
        call(*args)
    return str(caught.value)


def archive(path, files, *, change=lambda info: None, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as made:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (stat.S_IFREG | 0o644) << 16
            info.compress_type = method
            change(info)
            made.writestr(info, content)


def test_a_folder_is_copied_with_modes_that_a_sandbox_can_read(place, take):
    (place / "ada" / "app").mkdir(parents=True, mode=0o700)
    (place / "ada" / "deploy.py").write_text(DEPLOY)
    (place / "ada" / "app" / "run").write_text("x")
    (place / "ada" / "app" / "run").chmod(0o700)
    (place / "ada" / "deploy.py").chmod(0o600)
    folder = take()
    assert (folder / "deploy.py").read_text() == DEPLOY
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [folder, *folder.rglob("*")]}
    assert modes == {"submission": 0o755, "app": 0o755, "run": 0o755, "deploy.py": 0o644}


def test_what_is_no_work_of_the_learners_is_left_out_and_not_counted(place, take):
    for name in (".git", ".venv/lib", "__pycache__", "node_modules/a"):
        (place / "ada" / name).mkdir(parents=True)
        (place / "ada" / name / "x").write_text("x")
    os.symlink("/usr/bin/python3", place / "ada" / ".venv" / "python")
    (place / "ada" / "deploy.py").write_text(DEPLOY)
    assert [path.name for path in take().rglob("*")] == ["deploy.py"]


@pytest.mark.parametrize(
    "below", [".", "lab", "a/b/lab", TABLE, f"workspace/{TABLE}", f"repo/workspace/{TABLE}", "a/b/c/d"]
)
def test_the_labs_folder_is_found(below, place, take):
    folder = place / "ada" / below
    folder.mkdir(parents=True)
    (folder / "deploy.py").write_text(DEPLOY)
    if "workspace" in below:
        other = folder.parent / SCRIPT
        other.mkdir()
        (other / "deploy.py").write_text(DEPLOY)
    assert (take() / "deploy.py").read_text() == DEPLOY


def test_of_a_whole_course_the_workspace_is_taken(place, take):
    for part in ("labs", "solutions", "workspace"):
        for slug in (TABLE, SCRIPT):
            (place / "ada" / part / slug).mkdir(parents=True)
            (place / "ada" / part / slug / "deploy.py").write_text(f"# {part}\n")
    assert (take() / "deploy.py").read_text() == "# workspace\n"


def test_an_archive_is_unpacked(place, take):
    archive(place / "ada.zip", {"lab/deploy.py": DEPLOY, "lab\\app\\handler.py": "x", "__MACOSX/._x": "junk"})
    folder = take()
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.py")) == [
        "app/handler.py",
        "deploy.py",
    ]


def entry(name, content="x", **options):
    return lambda path: archive(path, {"deploy.py": DEPLOY, name: content}, **options)


def link(info):
    if info.filename == "link":
        info.external_attr = (stat.S_IFLNK | 0o777) << 16


def device(info):
    if info.filename == "null":
        info.external_attr = (stat.S_IFCHR | 0o666) << 16


def encrypted(path):
    archive(path, {"deploy.py": DEPLOY})
    data = bytearray(path.read_bytes())
    for signature, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        place = data.index(signature)
        data[place + flags] |= 1
    path.write_bytes(bytes(data))


def lying(path):
    """The list of contents claims 100 bytes; 30 MB come out."""
    archive(path, {"deploy.py": DEPLOY, "big": b"x" * (30 * MB)})
    data = bytearray(path.read_bytes())
    place = data.rindex(b"PK\1\2")
    data[place + 24 : place + 28] = struct.pack("<L", 100)
    path.write_bytes(bytes(data))


def long_list(path):
    """The end record announces more contents than anybody should read into memory."""
    archive(path, {"deploy.py": DEPLOY})
    data = bytearray(path.read_bytes())
    place = data.rindex(b"PK\5\6")
    data[place + 12 : place + 16] = struct.pack("<L", 500 * MB)
    path.write_bytes(bytes(data))


def sparse(path):
    with open(path, "wb") as file:
        file.truncate(2 << 30)


BAD_ARCHIVES = {
    "a zip bomb by ratio": (entry("zeros", b"\0" * (15 * MB)), "times its size"),
    "a zip bomb by size": (
        lambda path: archive(
            path, {"deploy.py": DEPLOY} | {f"{n}": (os.urandom(1000) * 100 + os.urandom(2000)) * 90 for n in range(6)}
        ),
        "more than 50 MB in all",
    ),
    "a file that is too large": (entry("big", os.urandom(21 * MB), method=zipfile.ZIP_STORED), "a file may have 20 MB"),
    "sizes that are not true": (lying, "damaged"),
    "a path out": (entry("../../etc/cron.d/x"), "leads out of the submission"),
    "a path out, as Windows writes it": (entry("..\\x"), "leads out of the submission"),
    "an absolute path": (entry("/etc/passwd"), "absolute path"),
    "a drive": (entry("C:\\x"), "absolute path"),
    "a link": (entry("link", "/etc/passwd", change=link), "link is a link"),
    "a device": (entry("null", "", change=device), "no ordinary file"),
    "control characters": (entry("a\x1b[2J\nb"), "control characters"),
    "a file below a file": (entry("deploy.py/x"), "twice"),
    "too many files": (lambda path: archive(path, {f"{n}": "" for n in range(2001)}), "more than 2000 files"),
    "a long list of contents": (long_list, "more than 2000 files"),
    "too deep": (entry("/".join("a" * 20)), "folders deep"),
    "too long a name": (entry("a" * 300), "no name that a file can have"),
    "a password": (encrypted, "encrypted"),
    "another method": (entry("x", method=zipfile.ZIP_LZMA), "packed in a way"),
    "no archive": (lambda path: path.write_text("hello"), "no .zip archive"),
    "nothing": (lambda path: path.write_bytes(b""), "no .zip archive"),
    "an empty archive": (lambda path: archive(path, {}), "it is empty"),
    "2 GB": (sparse, "the archive has 2048 MB"),
    "no deploy.py": (lambda path: archive(path, {"main.py": "x"}), "there is no deploy.py"),
    "several folders": (
        lambda path: archive(path, {"a/deploy.py": "", "b/deploy.py": ""}),
        "more than one deploy.py (a, b)",
    ),
}


@pytest.mark.parametrize("name", BAD_ARCHIVES)
def test_a_bad_archive_is_refused_with_a_sentence(name, place, take, tmp_path):
    make, said = BAD_ARCHIVES[name]
    make(place / "ada.zip")
    reason = refused(take)
    assert said in reason and reason.isprintable()
    written = sum(path.stat().st_size for path in (tmp_path / "scratch").rglob("*") if path.is_file())
    assert written <= Limits().total
    assert {path.name for path in tmp_path.iterdir()} == {"in", "scratch"}


def test_two_files_of_one_name_are_refused(place, take):
    with zipfile.ZipFile(place / "ada.zip", "w") as made, pytest.warns(UserWarning, match="Duplicate name"):
        made.writestr("deploy.py", DEPLOY)
        made.writestr("deploy.py", "other")
    assert "in it twice" in refused(take)


BAD_FOLDERS = {
    "a link out": (lambda folder: os.symlink("/etc/passwd", folder / "app.py"), "app.py is a link"),
    "a link to a folder": (lambda folder: os.symlink("/", folder / "app"), "app is a link"),
    "a pipe": (lambda folder: os.mkfifo(folder / "pipe"), "pipe is no ordinary file"),
    "2 GB": (lambda folder: sparse(folder / "big"), "big has 2048 MB"),
    "a name that clears the screen": (lambda folder: (folder / "\x1b[2J").touch(), "control characters"),
}


@pytest.mark.parametrize("name", BAD_FOLDERS)
def test_a_bad_folder_is_refused_with_a_sentence(name, place, take):
    make, said = BAD_FOLDERS[name]
    (place / "ada").mkdir()
    (place / "ada" / "deploy.py").write_text(DEPLOY)
    make(place / "ada")
    reason = refused(take)
    assert said in reason and reason.isprintable()


def test_a_link_that_appears_while_a_folder_is_read_is_not_followed(tmp_path, monkeypatch):
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / "file").write_text("mine")
    (tmp_path / "secret").write_text("ours")
    real = os.stat

    def swapped(path, **options):
        found = real(path, **options)
        if path == "file":
            (tmp_path / "ada" / "file").unlink()
            os.symlink(tmp_path / "secret", tmp_path / "ada" / "file")
        return found

    monkeypatch.setattr(os, "stat", swapped)
    assert "file is a link" in refused(copy_folder, tmp_path / "ada", Tray(tmp_path / "tray"))
    assert not list((tmp_path / "tray").iterdir())


def test_files_that_grow_while_they_are_read_are_cut_off(tmp_path):
    tray = Tray(tmp_path / "tray", Limits(file=10, total=15))
    tray.announce("a", 3)
    assert "larger than what is taken" in refused(tray.take, "a", iter([b"12345", b"678901"]))


def test_our_own_full_disk_is_no_fault_of_the_submission(tmp_path, monkeypatch):
    archive(tmp_path / "a.zip", {"deploy.py": DEPLOY})
    tray = Tray(tmp_path / "tray")

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "mkdir", full)
    with pytest.raises(OSError, match="No space"):
        unpack(tmp_path / "a.zip", tray)


def test_another_labs_code_is_named(place, take):
    shutil.copytree(COURSE.solution(FUNCTION), place / "ada")
    reason = refused(take, TABLE)
    assert FUNCTION in reason and TABLE in reason


def test_a_folder_with_another_labs_name_is_refused(place, take):
    shutil.copytree(COURSE.solution(SCRIPT), place / "ada" / SCRIPT)
    assert SCRIPT in refused(take, TABLE)


def test_a_lab_with_the_same_outputs_is_left_to_the_checks(place, take):
    shutil.copytree(COURSE.solution(SCRIPT), place / "ada")
    assert (take(TABLE) / "deploy.py").exists()


def test_everything_in_a_folder_gets_a_line(place):
    (place / "ada").mkdir()
    (place / "bob.ZIP").touch()
    (place / "eve.rar").touch()
    (place / ".hidden").mkdir()
    os.symlink("/etc", place / "mal")
    found = {one.name: one.problem for one in find_submissions(place)}
    assert set(found) == {"ada", "bob", "eve.rar", "mal"}
    assert not found["ada"] and not found["bob"]
    assert "no folder and no .zip" in found["eve.rar"] and "link" in found["mal"]


def test_two_submissions_of_one_name_are_both_refused(place, take):
    (place / "ada").mkdir()
    (place / "ada.zip").touch()
    assert "2 times under this name" in refused(take)


@pytest.mark.parametrize("what", ["nowhere", "empty", "notes.txt"])
def test_where_nothing_was_handed_in_is_said(what, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").touch()
    with pytest.raises(CourseError):
        find_submissions(tmp_path / what)


def test_a_table_of_remotes(tmp_path):
    table = tmp_path / "remotes.csv"
    table.write_text("\ufefflearner,url,ref\nada,https://x/y,main\nbob,\n", encoding="utf-8")
    one, two = find_submissions(table)
    assert (one.name, one.source, one.ref, one.problem) == ("ada", "https://x/y", "main", "")
    assert "no url" in two.problem


@pytest.mark.parametrize(
    "text", ["", "name,git\na,b\n", "learner,url\n,https://x/y\n", "learner,url\n\xff", 'learner,url\n"a']
)
def test_a_table_that_is_none_is_refused(text, tmp_path):
    table = tmp_path / "remotes.csv"
    table.write_bytes(text.encode("latin-1"))
    with pytest.raises(CourseError, match=r"remotes.csv"):
        find_submissions(table)


def test_what_was_handed_in_again_is_another(place):
    (place / "ada" / "app").mkdir(parents=True)
    (place / "ada" / "deploy.py").write_text(DEPLOY)
    (place / "ada" / "__pycache__").mkdir()

    def now():
        return fingerprint(find_submissions(place)[0])

    first = now()
    (place / "ada" / "__pycache__" / "x.pyc").touch()
    assert now() == first
    assert fingerprint(find_submissions(Path(os.path.relpath(place)))[0]) == first
    seen = {first}
    (place / "ada" / "app" / "new.py").touch()
    seen.add(now())
    os.utime(place / "ada" / "deploy.py", ns=(1, 1))
    seen.add(now())
    (place / "ada" / "app" / "new.py").unlink()
    os.symlink("/etc/passwd", place / "ada" / "app" / "new.py")
    seen.add(now())
    assert len(seen) == 4


NASTY = ["=cmd()", "a\x1b[2J", "a\u202eb", "a\nb", "../../x", "\udcff", "x" * 300, "A", "a", "é", ""]


def test_names_stay_apart_and_are_harmless():
    shown = [names.shown(name) for name in NASTY]
    assert len(set(shown)) == len(NASTY) and all(text.isprintable() for text in shown)
    keys = [names.key(name) for name in NASTY]
    assert len(set(keys)) == len(NASTY)
    assert all(key.isascii() and key.replace("-", "").isalnum() and len(key) < 60 for key in keys)


def test_a_stream_that_is_no_archive_ends_as_such(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("deploy.py", DEPLOY * 50)
    data = bytearray(buffer.getvalue())
    data[45:60] = os.urandom(15)
    (tmp_path / "a.zip").write_bytes(data)
    assert "damaged" in refused(unpack, tmp_path / "a.zip", Tray(tmp_path / "tray"))
