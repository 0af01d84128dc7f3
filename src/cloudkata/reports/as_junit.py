"""An attempt as JUnit XML, for tools that read test results."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from cloudkata.checking.verdict import BLOCKED, ERROR, FAILED, SKIPPED
from cloudkata.grading.attempt import FAULT, NOT_DEPLOYED, Attempt
from cloudkata.reports.text import safe


def as_junit(attempt: Attempt) -> str:
    """One test suite; a check is a test case, and a deployment that failed is one too."""
    statuses = [verdict.status for verdict in attempt.verdicts]
    broken = attempt.status in (NOT_DEPLOYED, FAULT) and not attempt.verdicts
    suite = ET.Element(
        "testsuite",
        name=attempt.lab.slug,
        tests=str(len(statuses) + broken),
        failures=str(statuses.count(FAILED) + (broken and attempt.status == NOT_DEPLOYED)),
        errors=str(statuses.count(ERROR) + (broken and attempt.status == FAULT)),
        skipped=str(statuses.count(SKIPPED) + statuses.count(BLOCKED)),
        time=f"{attempt.seconds:.3f}",
    )
    if broken:
        case = ET.SubElement(suite, "testcase", classname=attempt.lab.slug, name="deployment", time="0")
        kind = "failure" if attempt.status == NOT_DEPLOYED else "error"
        ET.SubElement(case, kind, message=plain_xml(attempt.problem))
    for verdict in attempt.verdicts:
        name = f"{attempt.lab.slug}.{verdict.task}"
        case = ET.SubElement(suite, "testcase", classname=name, name=verdict.id, time=f"{verdict.seconds:.3f}")
        if verdict.status == FAILED:
            message = f"expected {verdict.expected}, saw {verdict.actual}"
            ET.SubElement(case, "failure", message=plain_xml(message)).text = plain_xml(verdict.why)
        elif verdict.status == ERROR:
            ET.SubElement(case, "error", message=plain_xml(verdict.actual))
        elif verdict.status in (SKIPPED, BLOCKED):
            ET.SubElement(case, "skipped", message=plain_xml(f"{verdict.status}: {verdict.why}"))
    ET.indent(suite)
    return ET.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def plain_xml(text: str) -> str:
    """Text without the characters that XML has no way to write."""
    return "".join(char if char in "\n\t" or " " <= char not in "\ufffe\uffff" else " " for char in safe(text))
