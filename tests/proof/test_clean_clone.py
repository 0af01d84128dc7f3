"""What the README and the briefs of labs 00 and 14 say, typed in a clean clone."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def typed(folder, *words):
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "VIRTUAL_ENV"))}
    return subprocess.run(
        words, cwd=folder, env={**env, "COLUMNS": "80"}, capture_output=True, text=True, timeout=400, check=False
    )


@pytest.fixture(scope="module")
def tried(tmp_path_factory):
    """(a clone, what `make try` came to there)."""
    folder = tmp_path_factory.mktemp("clone") / "cloudkata"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True, timeout=60)
    base = Path(sys.base_prefix, "bin", f"python3.{sys.version_info.minor}")
    return folder, typed(folder, "make", "try", f"PYTHON={base}")


def test_make_try_refutes_and_then_proves(tried):
    _, done = tried
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"✗ failed.*NOT YET.*PASSED", done.stdout, re.DOTALL), done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_lab_00_as_its_brief_says(tried):
    clone, _ = tried
    assert "kata check 00" in (clone / "README.md").read_text()
    brief = (clone / "labs/00-first-proof/README.md").read_text()
    assert "kata check 00" in brief and "workspace/00-first-proof/app/handler.py" in brief
    first = typed(clone, ".venv/bin/kata", "check", "00")
    assert first.returncode == 1 and "✗ failed" in first.stdout
    handler = clone / "workspace/00-first-proof/app/handler.py"
    line = next(line for line in handler.read_text().splitlines() if "a request without a name must get a 400" in line)
    handler.write_text(handler.read_text().replace(line, "    status = 200 if name else 400"))
    second = typed(clone, ".venv/bin/kata", "check", "00")
    assert second.returncode == 0 and "PASSED" in second.stdout
    assert typed(clone, "git", "status", "--porcelain").stdout == ""


def worked_through(text, tasks):
    """A file of a solution as it is when only `tasks` are done: the other regions are the starter's."""
    kept, task, part = [], "", ""
    for line in text.splitlines(keepends=True):
        if found := re.match(r"\s*# kata: (task|starter|end)\s*(\S*)", line):
            part = found.group(1)
            task = found.group(2) if part == "task" else "" if part == "end" else task
        elif not task or (part == "task") == (task in tasks):
            kept.append(re.sub(r"^(\s*)# ?", r"\1", line) if task and part == "starter" else line)
    return "".join(kept)


def test_lab_14_as_its_brief_says(tried):
    clone, _ = tried
    brief = (clone / "labs/14-dynamodb-transactions/README.md").read_text()
    tasks = ["open", "count", "limit", "transfer", "repeat"]
    assert "kata check 14 --task open" in brief and all(f"`{task}`" in brief for task in tasks[1:])
    first = typed(clone, ".venv/bin/kata", "check", "14")
    assert first.returncode == 1 and "✗ failed" in first.stdout
    wallet = clone / "workspace/14-dynamodb-transactions/wallet.py"
    solution = (clone / "solutions/14-dynamodb-transactions/wallet.py").read_text()
    assert wallet.read_text() == worked_through(solution, set())
    for number, task in enumerate(tasks, 1):
        assert typed(clone, ".venv/bin/kata", "check", "14", "--task", task).returncode == 1
        wallet.write_text(worked_through(solution, set(tasks[:number])))
        done = typed(clone, ".venv/bin/kata", "check", "14", "--task", task)
        assert done.returncode == 0, done.stdout
    last = typed(clone, ".venv/bin/kata", "check", "14")
    assert last.returncode == 0 and "17 of 17" in last.stdout


def test_what_lab_14_says_to_compare(tried, tmp_path):
    clone, _ = tried
    folder = tmp_path / "14"
    shutil.copytree(clone / "solutions/14-dynamodb-transactions", folder)
    wallet = folder / "wallet.py"
    solution = (clone / "solutions/14-dynamodb-transactions/wallet.py").read_text()
    told = solution.replace(
        "        write(\n            dynamodb.transact_write_items,\n",
        '        answer = write(\n            dynamodb.transact_write_items,\n            ReturnConsumedCapacity="TOTAL",\n',
    )
    head, tail = told.rsplit("    return DONE\n", 1)
    for condition, units in ((None, "'CapacityUnits':4.0"), ("ReadCapacityUnits", "'ReadCapacityUnits'")):
        say = 'raise RuntimeError(answer["ConsumedCapacity"])'
        if condition:
            say = f'if "{condition}" in answer["ConsumedCapacity"][0]:\n        {say}\n    return DONE'
        wallet.write_text(f"{head}    {say}\n{tail}")
        done = typed(clone, ".venv/bin/kata", "check", "14", "--all", "--at", str(folder))
        assert done.returncode == 1 and units in re.sub(r"[\s\\]+", "", done.stdout), done.stdout
