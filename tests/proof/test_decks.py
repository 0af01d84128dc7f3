"""What a person sees of the decks: every slide in a browser, and every demo's commands typed as they stand there."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cloudkata.course.teaching import load_material, missing

ROOT = Path(__file__).parents[2]
DECKS = sorted((ROOT / "slides").glob("*.md"))
KATA = Path(sys.executable).with_name("kata")
FRONT = "---\nmarp: true\ntheme: kata\n---\n"


def look(*decks: Path) -> dict:
    """What tools/slides/look.mjs finds in a browser."""
    done = subprocess.run(
        ["node", ROOT / "tools/slides/look.mjs", *decks], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def looked():
    return look(*DECKS)


@pytest.mark.parametrize("deck", DECKS, ids=lambda path: path.stem)
def test_every_slide_is_shown_whole_and_can_be_read(looked, deck):
    found = looked[deck.stem]
    assert found["slides"] == len(load_material(deck).slides) and found["texts"] > found["slides"]
    assert found["problems"] == []


@pytest.mark.parametrize(
    ("slide", "kind"),
    [
        ("## Long\n\n" + "- a line that takes room\n" * 14, "overflow"),
        ("## Wide\n\n```\n" + "x" * 120 + "\n```", "overflow"),
        ('<p style="position:absolute;left:1200px">beyond the edge</p>', "overflow"),
        ('<p style="color:#b0b0b0">too pale</p>', "contrast"),
        ('<p style="background:#333;color:#444">dark on dark</p>', "contrast"),
        ('<svg><g class="node"><path d="M0 0h200v40h-200z" fill="#555"/><text x="9" y="20">pale</text></g></svg>', "contrast"),
        ('<svg width="400"><g class="node"><path d="M0 0h20v40h-20z" fill="#fff"/><text x="2" y="20">too long</text></g></svg>', "overflow"),
        ('<p style="font-size:9px">too small</p>', "small"),
        ("# A\n\n<!-- _class: lead -->", "notes"),
        ('<img src="http://127.0.0.1:9/picture.png">', "request"),
    ],
)  # fmt: skip
def test_a_slide_that_cannot_be_read_is_found(tmp_path, slide, kind):
    deck = tmp_path / "bad.md"
    deck.write_text(FRONT + slide)
    assert kind in {problem["kind"] for problem in look(deck)["bad"]["problems"]}


def test_no_diagram_is_stale():
    done = subprocess.run(
        ["node", ROOT / "tools/slides/draw.mjs", "--check"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("deck", DECKS, ids=lambda path: path.stem)
def test_a_demo_runs_as_it_is_written(deck, tmp_path):
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    env |= {"COLUMNS": "80", "PATH": f"{KATA.parent}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    env |= {"XDG_RUNTIME_DIR": str(tmp_path)}
    course = tmp_path / "course"
    subprocess.run([KATA, "init", course], check=True, capture_output=True, timeout=60)
    demos = load_material(deck).demos
    assert demos
    for demo in demos:
        said = ""
        for command, fails in demo.commands:
            done = subprocess.run(
                ["bash", "-c", command], cwd=course, env=env, capture_output=True, text=True, timeout=300, check=False
            )
            assert done.returncode == (1 if fails else 0), (command, done.stdout, done.stderr)
            said += done.stdout
        assert missing(demo.seen, said) == [], said


def test_the_decks_become_pages_and_pdfs(tmp_path):
    words = ["-c", "tools/slides/marp.config.mjs", "-I", "slides", "-o", str(tmp_path)]
    for more in ([], ["--pdf"]):
        done = subprocess.run(
            ["node_modules/.bin/marp", *words, *more],
            cwd=ROOT,
            env={**os.environ, "CHROME_NO_SANDBOX": "true"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    for deck in DECKS:
        assert (tmp_path / f"{deck.stem}.pdf").read_bytes().startswith(b"%PDF")
        page = (tmp_path / f"{deck.stem}.html").read_text()
        assert 'lang="en"' in page and "<svg" in page
