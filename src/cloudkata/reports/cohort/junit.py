"""A cohort as JUnit XML: a suite for each learner, a test case for each check."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable

from cloudkata.course.model import Lab
from cloudkata.grading.cohort.results import Result
from cloudkata.reports.as_junit import plain_xml


def junit_xml(lab: Lab, results: Iterable[Result]) -> str:
    """Where nothing was checked, the submission itself is the one case that failed."""
    root = ET.Element("testsuites", name=lab.slug)
    for result in results:
        _suite(root, lab, result)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _suite(root: ET.Element, lab: Lab, result: Result) -> None:
    checks = result.report["checks"] if result.report else []
    statuses = [entry["status"] for entry in checks]
    broken, ours = not checks, result.status == "error"
    suite = ET.SubElement(
        root,
        "testsuite",
        name=plain_xml(result.learner),
        tests=str(len(checks) + broken),
        failures=str(statuses.count("failed") + (broken and not ours)),
        errors=str(statuses.count("error") + (broken and ours)),
        skipped=str(statuses.count("skipped") + statuses.count("blocked")),
        time=f"{result.seconds:.3f}",
    )
    if broken:
        case = ET.SubElement(suite, "testcase", classname=lab.slug, name="submission", time="0")
        ET.SubElement(case, "error" if ours else "failure", message=plain_xml(f"{result.status}: {result.reason}"))
    for entry in checks:
        name = f"{lab.slug}.{entry['task']}"
        case = ET.SubElement(suite, "testcase", classname=name, name=entry["id"], time=f"{entry['seconds']:.3f}")
        if entry["status"] == "failed":
            message = plain_xml(f"expected {entry['expected']}, saw {entry['actual']}")
            ET.SubElement(case, "failure", message=message).text = plain_xml(entry["why"])
        elif entry["status"] == "error":
            ET.SubElement(case, "error", message=plain_xml(entry["actual"]))
        elif entry["status"] in ("skipped", "blocked"):
            ET.SubElement(case, "skipped", message=plain_xml(f"{entry['status']}: {entry['why']}"))
