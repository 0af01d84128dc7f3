"""Synthesizes the stacks of all labs into build/cdk, offline, and has cdk-nag and cfn-lint look at them: `make synth`.

Ends with status 1 when one of them finds something that its stack does not justify.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from cloudkata.cdk.deploy import TEMPLATE_BYTES
from cloudkata.cdk.names import stack_name
from cloudkata.cdk.synth import synthesize, wanted
from cloudkata.course import Course, CourseError, find_course

# W3005: CDK names as a dependency of a function the role that its Role refers to already.
CFN_LINT = ("cfn-lint", "--ignore-checks", "W3005", "--regions", "us-east-1", "--")


def prefix(slug: str) -> str:
    return f"kata{slug[:2]}-lab"


def synthesize_all(course: Course, out: Path) -> list[Path]:
    """The templates of all labs. Raises CourseError with what cdk-nag finds that no stack justifies."""
    shutil.rmtree(out, ignore_errors=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    synthesize([wanted(course, slug, prefix(slug)) for slug in course.labs], out, nag=True)
    return [out / f"{stack_name(prefix(slug))}.template.json" for slug in course.labs]


def lint(templates: list[Path]) -> str:
    """What cfn-lint says, "" when it finds nothing."""
    command = [str(Path(sys.executable).parent / CFN_LINT[0]), *CFN_LINT[1:], *map(str, templates)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    return f"{run.stdout}{run.stderr}".strip() if run.returncode else ""


def size(template: Path) -> int:
    """The bytes of a template as kata deploy sends it."""
    return len(json.dumps(json.loads(template.read_text(encoding="utf-8"))))


def main() -> int:
    course = find_course(Path.cwd())
    try:
        templates = synthesize_all(course, Path("build/cdk"))
    except CourseError as error:
        print(error)
        return 1
    for slug, template in zip(course.labs, templates, strict=True):
        kinds = json.loads(template.read_text(encoding="utf-8"))["Resources"]
        print(f"{slug:26} {len(kinds):3} resources {size(template):6} of {TEMPLATE_BYTES} bytes")
    print("cdk-nag: nothing that is not justified")
    found = lint(templates)
    print(found or "cfn-lint: nothing")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
