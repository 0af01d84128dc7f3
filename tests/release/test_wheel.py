"""The built wheel, installed where there is no clone and no network."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECONDS = 180
SOURCES = ("src", "labs", "solutions", "checks", "cards", "exams", "slides", "notebooks")


def run(*words, cwd: Path, env: dict | None = None) -> subprocess.CompletedProcess:
    return subprocess.run(
        list(map(str, words)), cwd=cwd, env=env, capture_output=True, text=True, timeout=SECONDS, check=False
    )


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder of the programs of a virtual environment with the wheel, and this one's packages for the rest."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"  # a copy, so that nothing is written to the repository
    source.mkdir()
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "course.toml"):
        shutil.copyfile(ROOT / name, source / name)
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    offline = ("--no-deps", "--no-index")
    built = run(*pip, "wheel", "--no-build-isolation", *offline, "-w", folder, source, cwd=folder)
    assert built.returncode == 0, built.stderr
    (wheel,) = folder.glob("cloudkata-*.whl")
    venv.create(folder / "venv", with_pip=False)
    put = run(*pip, "--python", folder / "venv/bin/python", "install", *offline, wheel, cwd=folder)
    assert put.returncode == 0, put.stderr
    (packages,) = (folder / "venv/lib").glob("python3*/site-packages")
    # a path that is listed so brings its packages, but not the editable cloudkata that its own .pth file names
    (packages / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "venv/bin"


def alone() -> list[str]:
    """What cuts a command off from every network, where this machine allows it."""
    for words in (["unshare", "-n"], ["unshare", "-rn"]):
        if shutil.which("unshare") and run(*words, "true", cwd=ROOT).returncode == 0:
            return words
    return []


@pytest.fixture
def person(installed, tmp_path):
    """Runs a command with the wheel's programs first, and no setting of ours."""
    env = {"PATH": f"{installed}:{os.environ['PATH']}", "HOME": str(tmp_path), "COLUMNS": "80"}

    def command(*words, expect: int = 0, cwd: Path = tmp_path) -> str:
        done = run(*words, cwd=cwd, env=env)
        assert done.returncode == expect, (words, done.stdout, done.stderr)
        return done.stdout

    return command


def test_a_course_from_the_wheel_is_complete_without_a_network(person, installed, tmp_path):
    code = "import cloudkata, kata_lab; print(cloudkata.__file__, kata_lab.__file__)"
    assert person("python", "-c", code).count(str(installed.parent)) == 2  # the wheel's, not the clone's
    person(*alone(), "kata", "init", "course")
    course = tmp_path / "course"
    for name in ("labs", "solutions", "checks", "cards", "exams", "slides", "notebooks"):
        wanted = {
            path.relative_to(ROOT)
            for path in (ROOT / name).rglob("*")
            if path.is_file() and not {"__pycache__", ".pytest_cache"} & set(path.parts)
        }
        assert {path.relative_to(course) for path in (course / name).rglob("*") if path.is_file()} == wanted
    assert "kata start 00" in person(*alone(), "kata", cwd=course)
    person("kata", "lint", "00", cwd=course)
    person("kata", "new-lab", "99-mine", cwd=course)


def test_the_wheel_checks_a_lab(person, tmp_path):
    person("kata", "init", "course")
    course = tmp_path / "course"
    assert "1 of 2 checks passed" in person("kata", "check", "00", expect=1, cwd=course)
    assert "2 of 2 checks passed" in person("kata", "check", "00", "--solution", cwd=course)
