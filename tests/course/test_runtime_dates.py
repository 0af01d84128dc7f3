"""What cards, questions and briefs say of Lambda runtimes is what cfn-lint's data say, which follow AWS's own table.

The table: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
"""

import calendar
import datetime
import json
import re
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import botocore.session
import pytest

ROOT = Path(__file__).parents[2]
MONTHS = list(calendar.month_name)[1:]
_DATES = (
    re.compile(r"\b(?P<year>20\d\d)-(?P<month>\d\d)-(?P<day>\d\d)\b"),
    re.compile(rf"\b(?:(?P<day>\d{{1,2}}) )?(?P<month>{'|'.join(MONTHS)}) (?P<year>20\d\d)\b"),
)
_NAMES = (
    (re.compile(r"\b(?:python\d\.\d+|nodejs\d+\.x|java\d+|dotnet\d+|ruby\d\.\d|provided\.al\d+|go1\.x)\b"), "{}"),
    (re.compile(r"\bPython (3\.\d+)"), "python{}"),
    (re.compile(r"\bNode(?:\.js)? (\d+)"), "nodejs{}.x"),
    (re.compile(r"\bJava (\d+)"), "java{}"),
    (re.compile(r"\.NET (\d+)"), "dotnet{}"),
    (re.compile(r"\bRuby (\d\.\d)"), "ruby{}"),
)
_LIFE = re.compile(r"deprecat|support|block|retire|end of life|no longer|created?\b|updated?\b|current", re.IGNORECASE)
_OVER = re.compile(r"(?:is|are|was|were|been) deprecated|no longer supported|not supported any more", re.IGNORECASE)
_COMING = re.compile(r"will be deprecated|(?:is|are) (?:still )?supported|current runtime", re.IGNORECASE)


@pytest.fixture(scope="module")
def lives() -> dict[str, dict[str, str]]:
    """runtime -> its dates: deprecated, create-block, update-block."""
    text = files("cfnlint").joinpath("data/AdditionalSpecs/LmbdRuntimeLifecycle.json").read_text(encoding="utf-8")
    return {
        name: {what: date for what, date in found.items() if what != "successor" and date}
        for name, found in json.loads(text).items()
    }


def texts() -> Iterator[tuple[str, str]]:
    """(where, a text) of everything that is told to learners; where is a card or question by its id, or a file."""
    for file in sorted([*ROOT.glob("cards/*.toml"), *ROOT.glob("exams/questions/*.toml")]):
        for entries in tomllib.loads(file.read_text(encoding="utf-8")).values():
            for entry in entries if isinstance(entries, list) else []:
                for text in strings(entry):
                    yield f"{file.relative_to(ROOT)}: {entry.get('id')}", text
    for file in sorted(ROOT.glob("labs/*/README.md")):
        yield str(file.relative_to(ROOT)), file.read_text(encoding="utf-8")


def strings(value) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from strings(part)


def runtimes(sentence: str) -> set[str]:
    return {form.format(name) for found, form in _NAMES for name in found.findall(sentence)}


def dates(sentence: str) -> Iterator[str]:
    """Each date as 2026-04-30, or 2026-04 where no day is given."""
    for pattern in _DATES:
        for found in pattern.finditer(sentence):
            month = found["month"] if found["month"].isdigit() else f"{MONTHS.index(found['month']) + 1:02}"
            yield "-".join(filter(None, [found["year"], month, found["day"] and found["day"].zfill(2)]))


def wrong(text: str, lives: dict, today: str) -> list[str]:
    """What a text says of runtimes and their dates, sentence by sentence, that the data do not say."""
    problems = []
    for sentence in re.split(r"(?<=[.?!:;])\s+(?=[A-Z`*-])|\n\s*\n", text):
        known = {name: lives[name] for name in runtimes(sentence) if name in lives}
        if not known or not _LIFE.search(sentence):
            continue
        right = {date for life in known.values() for date in life.values()}
        problems += [
            f"{date} is no date of {', '.join(sorted(known))}: {sorted(right)}"
            for date in dates(sentence)
            if not any(one.startswith(date) for one in right)
        ]
        for name, life in known.items():
            if _OVER.search(sentence) and life["deprecated"] > today:
                problems.append(f"{name} is deprecated on {life['deprecated']} only")
            if _COMING.search(sentence) and life["deprecated"] <= today:
                problems.append(f"{name} is deprecated since {life['deprecated']}")
    return problems


def now() -> str:
    return datetime.date.today().isoformat()


def test_what_is_told_of_runtimes_is_so(lives):
    found = [f"{where}: {problem}" for where, text in texts() for problem in wrong(text, lives, now())]
    assert found == []


def test_every_runtime_that_is_named_exists(lives):
    model = botocore.session.get_session().get_service_model("lambda")
    known = {*lives, *model.shape_for("Runtime").enum}
    named = {(where, name) for where, text in texts() for name in runtimes(text)}
    assert named, "nothing was read"
    assert sorted(pair for pair in named if pair[1] not in known) == []


def test_no_lab_uses_a_runtime_that_is_deprecated(lives):
    used = {
        (str(file.relative_to(ROOT)), name)
        for folder in ("labs", "solutions", "checks")
        for file in (ROOT / folder).rglob("*.py")
        for name in re.findall(r"""["'](python\d\.\d+|nodejs\d+\.x)["']""", file.read_text(encoding="utf-8"))
    }
    assert used, "nothing was read"
    assert sorted(pair for pair in used if lives[pair[1]]["deprecated"] <= now()) == []


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("Node.js 20 is deprecated since 30 April 2026.", 0),
        ("Node.js 20 was deprecated in April 2026. Python 3.12 follows.", 0),
        ("`nodejs20.x`: deprecated 2026-04-30, creation blocked 2027-02-01, updates blocked 2027-03-03.", 0),
        ("Node.js 20 is deprecated since 30 April 2025.", 1),
        ("Creating functions of nodejs20.x is blocked from March 2026.", 1),
        ("Python 3.12 is deprecated.", 1),
        ("Node.js 20 is supported.", 1),
        ("Java 11 was deprecated on 2023-06-30.", 2),
        ("SnapStart came to Python 3.12 in November 2024.", 0),  # says nothing of its life
    ],
)
def test_a_wrong_date_or_status_is_found(lives, text, problems):
    assert len(wrong(text, lives, "2026-12-01")) == problems
