"""What a cohort's results are written as, with learners who try to get more out of it."""

import csv
import html
import io
import json
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from cloudkata.course import Course, find_course, load_lab
from cloudkata.grading.cohort.results import Result
from cloudkata.reports.cohort import write_outputs
from cloudkata.reports.cohort.class_page import believed, class_page, tally
from cloudkata.reports.cohort.feedback import feedback, plain
from cloudkata.reports.cohort.gradebook import canvas_csv, cell, gradebook_csv
from cloudkata.reports.cohort.gradescope import gradescope
from cloudkata.reports.cohort.junit import junit_xml

MINI = Path(__file__).parents[1] / "mini_course"
COURSE = Course(MINI, find_course(MINI).labs)
LAB = load_lab(COURSE, "01-script")
SEED = 987_654_321
NASTY = (
    "=cmd() \x1b[2J\u202e <script>alert(1)</script> </text> ``` ![x](http://x.example/) [x](javascript:x) & ]]> \x00"
)


def report(*statuses, text="42", certain=False, beliefs=()):
    checks = [
        {
            "id": spec.id,
            "task": spec.task,
            "claim": spec.claim,
            "status": status,
            "seconds": 0.1,
            "expected": text,
            "actual": text,
            "why": "Because.",
            "hint": "Look." if status == "failed" else "",
        }
        for spec, status in zip(LAB.checks, statuses, strict=True)
    ]
    known = {name: {"id": name, "belief": f"I believe {name}.", "correction": f"No {name}."} for name in beliefs}
    return {
        "schema": "cloudkata.report/1",
        "seed": SEED,
        "problem": "" if checks else text,
        "tasks": [{"id": task.id, "title": task.title, "weight": 1, "passed": False} for task in LAB.tasks],
        "checks": checks,
        "beliefs": {"certain": certain, "misconceptions": list(known.values())},
    }


def result(name, status, score=0.0, found=None, reason="", seconds=1.5):
    return Result(name, f"{name}-key", LAB.slug, status, score, reason, seconds, found)


RESULTS = [
    result("ada", "passed", 1.0, report("passed", "passed", "passed")),
    result("bob", "failed", 0.5, report("passed", "failed", "blocked", certain=True, beliefs=["globals"])),
    result("eve", "failed", 0.5, report("passed", "passed", "failed", beliefs=["globals", "sets"])),
    result("mal", "failed", 0.0, report("failed", "failed", "blocked", text=NASTY)),
    result("ned", "refused", reason=NASTY),
    result("tom", "stopped", reason="it was not through after 300 seconds"),
    result("zed", "error", reason="the engine did not start"),
]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("ada", "ada"),
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@sum", "'@sum"),
        ("  =1", "'  =1"),
        ("\t=1", "' =1"),
        ("＝1", "'＝1"),
        ("a\nb", "a b"),
        ("a=b", "a=b"),
    ],
)
def test_no_cell_is_a_formula(text, wanted):
    assert cell(text) == wanted


def test_a_gradebook_does_not_depend_on_when_it_was_made():
    later = [Result(**{**one.__dict__, "seconds": 99.0}) for one in RESULTS]
    assert gradebook_csv(RESULTS) == gradebook_csv(later)


def test_a_gradebook_has_a_line_for_each():
    rows = list(csv.reader(io.StringIO(gradebook_csv(RESULTS))))
    assert rows[0] == ["learner", "lab", "status", "score", "reason"]
    assert [row[0] for row in rows[1:]] == [one.learner for one in RESULTS]
    assert rows[2][3] == "0.5" and all(len(row) == 5 for row in rows)
    assert not any(value.startswith(("=", "\x1b")) for row in rows for value in row)


def test_canvas_gets_its_columns_and_its_ids():
    results = [result("doejane_LATE_12345_67890_lab05", "passed", 1.0), result("ada", "failed", 0.25), RESULTS[-1]]
    rows = list(csv.reader(io.StringIO(canvas_csv(LAB, results))))
    assert rows[0] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Lab 01: A script"]
    assert rows[1][0].strip() == "Points Possible" and rows[1][5] == "100"
    assert rows[2] == ["doejane", "12345", "", "", "", "100"]
    assert rows[3] == ["ada", "", "", "ada", "", "25"]
    assert rows[4][5] == ""  # no verdict is no zero


def test_gradescope_gets_points_and_a_test_for_each_check():
    found = gradescope(LAB, RESULTS[1])
    assert found["score"] == 50 and found["output_format"] == "md"
    assert [one["status"] for one in found["tests"]] == ["passed", "failed", "failed"]
    assert "expected: 42" in found["tests"][1]["output"]
    assert "score" not in gradescope(LAB, RESULTS[-1])
    json.dumps(found)


def test_junit_counts_what_did_not_pass():
    root = ET.fromstring(junit_xml(LAB, RESULTS))
    counts = {
        suite.get("name"): tuple(int(suite.get(name)) for name in ("tests", "failures", "errors", "skipped"))
        for suite in root
    }
    assert counts["ada"] == (3, 0, 0, 0) and counts["bob"] == (3, 1, 0, 1)
    assert counts["ned"] == (1, 1, 0, 0) and counts["zed"] == (1, 0, 1, 0)


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.links = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.links += [value for name, value in attributes if name in ("src", "href", "action", "data", "srcset")]
        assert not [name for name, _ in attributes if name.startswith("on")]


def rendered(text):
    return Page(MarkdownIt("commonmark").enable("table").render(text))


@pytest.mark.parametrize("one", RESULTS, ids=lambda one: one.learner)
def test_feedback_shows_what_a_learner_wrote_as_text(one):
    text = feedback(LAB, one)
    page = rendered(text)
    assert not page.links and set(page.tags) <= {"h1", "h2", "h3", "p", "strong", "ul", "li", "pre", "code", "br"}
    assert not set(text) & {"\x1b", "\u202e", "\x00"}


def test_feedback_keeps_the_seed():
    assert all(str(SEED) not in feedback(LAB, one) + json.dumps(gradescope(LAB, one)) for one in RESULTS)


def test_feedback_says_what_was_expected_and_seen_and_why():
    text = feedback(LAB, RESULTS[1])
    assert "50 of 100" in text and "I believe globals" in text and "No globals" in text
    failed = text[text.index("### ") :]
    assert "Expected:" in failed and "Seen:" in failed and "Because" in failed and "Look" in failed


@pytest.mark.parametrize(
    "text",
    [
        "*a* _b_ `c` ~~d~~",
        "[a](http://x.example)",
        "![a](b)",
        "<img src=x>",
        "# a",
        "- a",
        "+ a",
        "1. a",
        "12) a",
        "===",
        "&lt;",
        "| a | b |",
        "https://x.example",
        "www.x.example",
        "a@x.example",
        "\\*a*",
    ],
)
def test_plain_text_is_shown_as_it_is(text):
    rendered = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(f"- {plain(text)}")
    assert html.unescape(re.sub("<[^>]*>", "", rendered)).strip() == text
    assert set(Page(rendered).tags) == {"ul", "li"}
    assert not re.search(r"(?<!\\)://|www\.", plain(text))  # no address that becomes a link by itself


def test_a_name_is_text_in_its_feedback():
    page = rendered(feedback(LAB, result("<b>*x*</b> [a](http://x.example) `c` # d", "refused", reason="x")))
    assert not page.links and "b" not in page.tags and "em" not in page.tags


def test_the_hardest_check_comes_first_and_who_was_blocked_did_not_try_it():
    found = [(one.failed, one.tried) for one in tally(LAB, RESULTS)]
    assert found == [(2, 4), (1, 2), (1, 4)]


def test_the_most_frequent_belief_comes_first():
    assert [(belief, surely, perhaps) for belief, _, surely, perhaps in believed(RESULTS)] == [
        ("I believe globals.", 1, 1),
        ("I believe sets.", 0, 1),
    ]


def test_the_class_page_stands_alone_and_names_nobody():
    text = class_page(LAB, RESULTS)
    page = Page(text)
    assert not page.links and "script" not in page.tags and page.tags.count("svg") == 3
    assert "http" not in text.replace("http-equiv", "") and "url(" not in text
    assert not re.search(r"\b(ada|bob|eve|mal|ned|tom|zed)\b", text)
    for plot in re.findall(r"<svg.*?</svg>", text):
        ET.fromstring(plot)


def test_a_class_page_without_results_is_a_page():
    assert "0 submissions" in class_page(LAB, [])


def test_nothing_of_all_this_holds_control_characters(tmp_path):
    write_outputs(tmp_path, COURSE, LAB.slug, RESULTS, canvas=True)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 4 + 2 * len(RESULTS)
    for path in files:
        assert not set(path.read_text(encoding="utf-8")) & {"\x1b", "\u202e", "\x00"}, path
