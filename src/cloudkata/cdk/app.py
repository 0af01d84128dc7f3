"""The one CDK app of all solutions; run as a program, since CDK takes seconds and memory.

`python -m cloudkata.cdk.app SETTINGS`: SETTINGS is JSON with `out` (where the cloud assembly goes), `nag` (whether to
run cdk-nag) and `labs`, a list of {folder, prefix, endpoint}.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import aws_cdk

from cloudkata.cdk.stack import LabStack, Place

_CONTEXT = {
    "@aws-cdk/aws-iam:minimizePolicies": True,
    "@aws-cdk/core:target-partitions": ["aws"],
    "aws:cdk:disable-version-reporting": True,
}


def synthesize(settings: dict) -> None:
    """Write the cloud assembly of the stacks that `settings` name."""
    app = aws_cdk.App(outdir=settings["out"], analytics_reporting=False, context=_CONTEXT)
    if settings.get("nag"):
        from cdk_nag import AwsSolutionsChecks

        aws_cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    for lab in settings["labs"]:
        folder = Path(lab["folder"])
        _solution(folder)(app, Place(folder, lab["prefix"], lab["endpoint"]))
    app.synth()


def _solution(folder: Path) -> type[LabStack]:
    name = f"stack_{folder.name.replace('-', '_')}"
    spec = importlib.util.spec_from_file_location(name, folder / "stack.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Solution


if __name__ == "__main__":
    synthesize(json.loads(sys.argv[1]))
