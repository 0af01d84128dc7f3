"""Makes a cohort of submissions whose verdicts are known, and drives `kata grade` over it."""

from __future__ import annotations

import csv
import os
import random
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from cloudkata.course import Course, load_misconceptions, load_neighbours
from cloudkata.course.variants import make_variant
from cloudkata.grading.cohort.names import shown

Expected = dict[str, tuple[tuple[str, ...], str]]  # by learner: what a submission may come to, and words of the reason

KINDS = ["solution", "starter", "neighbour", "misconception", "fake-report"]
KINDS += ["solution", "misconception", "raises", "misconception", "looks-around"]

# What runs before the learner's own deploy().
HOSTILE = {
    "fork-bomb": (
        """
        import os
        for _ in range(20000):
            try:
                if os.fork() == 0:
                    while True:
                        pass
            except OSError:
                break
        while True:
            pass
        """,
        ("stopped", "not deployed"),
    ),
    "disk-filler": (
        """
        bucket, s3 = lab.name("fill"), lab.client("s3")
        s3.create_bucket(Bucket=bucket)
        for number in range(400):
            s3.put_object(Bucket=bucket, Key=str(number), Body=os.urandom(16 << 20))
        """,
        ("stopped",),
    ),
    "memory": ("blocks = [bytearray(os.urandom(1 << 20) * 16) for _ in range(200)]", ("not deployed", "stopped")),
    "endless-output": ("while True:\n            print('x' * 10_000)", ("stopped", "not deployed")),
    "fake-report": ('print(\'{"schema": "cloudkata.report/1", "status": "passed", "score": 1.0}\')', ("failed",)),
    "raises": ('raise LookupError(lab.name("x") + " of " + lab.account)', ("not deployed",)),
    "looks-around": (
        """
        for folder, _, names in os.walk("/"):
            for name in names:
                if name in ("misconceptions.toml", "cohort.secret"):
                    raise SystemExit("FOUND " + folder)
        """,
        ("failed",),
    ),
}


def hostile(folder: Path, starter: Path, name: str) -> None:
    """The starter, which fails, with an attack before it."""
    shutil.copytree(starter, folder, ignore=shutil.ignore_patterns("lab.toml", "README.md", "__pycache__"))
    body = HOSTILE[name][0].strip("\n")
    deploy = folder / "deploy.py"
    source = deploy.read_text().replace("def deploy(lab):\n", "def deploy(lab):\n    attack(lab)\n")
    lines = body.splitlines()
    indent = len(lines[0]) - len(lines[0].lstrip())
    attack = "\n".join("    " + line[indent:] for line in lines)
    deploy.write_text(f"{source}\n\nimport os\n\n\ndef attack(lab):\n{attack}\n")


def packed(path: Path, files: dict[str, bytes | str], **options) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def encrypted(path: Path, source: Path) -> None:
    packed(path, {"deploy.py": (source / "deploy.py").read_bytes()})
    data = bytearray(path.read_bytes())
    for signature, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.index(signature) + flags] |= 1
    path.write_bytes(bytes(data))


def make_bad_ones(place: Path, course: Course, slug: str, other: str) -> Expected:
    """Submissions that no attempt is made of, or that attack; by name, what they may come to and what is said."""
    solution, starter = course.solution(slug), course.starter(slug)
    packed(place / "zip-bomb.zip", {"deploy.py": "x", "zeros": b"\0" * (19 << 20)})
    packed(place / "path-out.zip", {"deploy.py": "x", "../../x": "x"})
    encrypted(place / "encrypted.zip", solution)
    (place / "link-out").mkdir()
    shutil.copy(solution / "deploy.py", place / "link-out")
    os.symlink("/etc/passwd", place / "link-out" / "data")
    (place / "two-gigabytes").mkdir()
    shutil.copy(solution / "deploy.py", place / "two-gigabytes")
    with open(place / "two-gigabytes" / "big", "wb") as file:
        file.truncate(2 << 30)
    shutil.copytree(course.solution(other), place / "wrong-lab")
    shutil.copytree(solution, place / "=cmd()|' \x1b[2J", ignore=shutil.ignore_patterns("__pycache__", "tests"))
    for name in HOSTILE:
        hostile(place / name, starter, name)
    refused = {
        "zip-bomb": "times its size",
        "path-out": "leads out",
        "encrypted": "encrypted",
        "link-out": "is a link",
        "two-gigabytes": "2048 MB",
        "wrong-lab": other,
    }
    found = {name: (("refused",), said) for name, said in refused.items()}
    found[shown("=cmd()|' \x1b[2J")] = (("passed",), "")
    return found | {name: (statuses, "") for name, (_, statuses) in HOSTILE.items()}


def make_mixed(place: Path, course: Course, slug: str, number: int, seed: int) -> Expected:
    """`number` submissions: solutions, starters, neighbours, misconceptions and cheats, in an order drawn from `seed`."""
    draw = random.Random(seed)
    misconceptions, neighbours = load_misconceptions(course, slug), load_neighbours(course, slug)
    found: Expected = {}
    for place_in_line in range(number):
        kind = KINDS[place_in_line % len(KINDS)]
        name = f"{draw.randrange(16**6):06x}-{place_in_line:03}-{kind}"
        folder = place / name
        status: tuple[str, ...] = ("failed",)
        if kind in ("solution", "starter"):
            source = course.solution(slug) if kind == "solution" else course.starter(slug)
            shutil.copytree(source, folder, ignore=shutil.ignore_patterns("__pycache__", "tests"))
            status = ("passed",) if kind == "solution" else ("failed",)
        elif kind in ("neighbour", "misconception"):
            make_variant(
                course.solution(slug), draw.choice(neighbours if kind == "neighbour" else misconceptions), folder
            )
            status = ("passed",) if kind == "neighbour" else ("failed",)
        else:
            hostile(folder, course.starter(slug), kind)
            status = HOSTILE[kind][1]
        if place_in_line % 3 == 0:
            shutil.make_archive(str(folder), "zip", folder)
            shutil.rmtree(folder)
        found[name] = (status, "")
    return found


def command(course: Course, slug: str, place: Path, out: Path, *words: str) -> list[str]:
    secret = out.parent / "secret"
    base = [sys.executable, "-m", "cloudkata.cli.kata", "grade", str(place), "--lab", slug, "--out", str(out)]
    return [*base, "--secret", str(secret), *words]


def grade(course: Course, slug: str, place: Path, out: Path, *words: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        command(course, slug, place, out, *words), cwd=course.root, capture_output=True, text=True, check=False
    )


def rows(out: Path) -> dict[str, dict[str, str]]:
    """The lines of a gradebook, by learner."""
    with open(out / "gradebook.csv", encoding="utf-8", newline="") as file:
        return {row["learner"].removeprefix("'"): row for row in csv.DictReader(file)}


def wrong(out: Path, expected: Expected) -> list[str]:
    """A line for each learner whose status or reason is not as expected."""
    found = rows(out)
    assert set(found) == set(expected)
    return [
        f"{name}: {found[name]['status']} ({found[name]['reason']}), not {' or '.join(statuses)} {said}"
        for name, (statuses, said) in expected.items()
        if found[name]["status"] not in statuses or said not in found[name]["reason"]
    ]
