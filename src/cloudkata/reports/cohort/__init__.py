"""What a cohort's results are written as."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from cloudkata.course import Course, load_lab
from cloudkata.grading.cohort.results import Result
from cloudkata.reports.cohort.class_page import class_page
from cloudkata.reports.cohort.feedback import feedback
from cloudkata.reports.cohort.gradebook import canvas_csv, gradebook_csv
from cloudkata.reports.cohort.gradescope import gradescope
from cloudkata.reports.cohort.junit import junit_xml

SCHEMA = "cloudkata.cohort/1"


def write_outputs(out: Path, course: Course, slug: str, results: list[Result], *, canvas: bool = False) -> None:
    """Write gradebook, feedback, class page and the files for other tools below `out`. Raises CourseError, OSError."""
    import json

    lab = load_lab(course, slug)
    files = {
        "gradebook.csv": gradebook_csv(results),
        "junit.xml": junit_xml(lab, results),
        "class.html": class_page(lab, results),
    }
    if canvas:
        files["canvas.csv"] = canvas_csv(lab, results)
    for result in results:
        files[f"feedback/{result.key}.md"] = feedback(lab, result)
        files[f"gradescope/{result.key}.json"] = json.dumps(gradescope(lab, result), indent=1, ensure_ascii=False)
    for name, text in files.items():
        path = out / name
        path.parent.mkdir(exist_ok=True)
        beside = path.with_name(f".{path.name}.new")
        beside.write_text(text, encoding="utf-8", newline="")
        beside.replace(path)


def as_dict(slug: str, results: list[Result]) -> dict:
    """A cohort as data, schema cloudkata.cohort/1: the gradebook, and how many came to what."""
    return {
        "schema": SCHEMA,
        "lab": slug,
        "counts": dict(sorted(Counter(result.status for result in results).items())),
        "submissions": [
            {name: getattr(result, name) for name in ("learner", "key", "status", "score", "reason", "seconds")}
            for result in results
        ],
    }
