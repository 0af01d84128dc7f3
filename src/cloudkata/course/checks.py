"""Reads the checks of a lab from their source, without importing it."""

from __future__ import annotations

import ast
from pathlib import Path

from cloudkata.course.model import CheckSpec

_LISTS = ("needs", "after", "cards")


def read_checks(folder: Path, number: str) -> list[CheckSpec]:
    """Every function decorated with @check in test_*.py of `folder`, in the order they stand.

    Raises ValueError for a check without claim or with arguments that are not literals.
    """
    found: list[CheckSpec] = []
    for path in sorted(folder.glob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"), path.name)
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and (call := _decorator(node)):
                found.append(_spec(node, call, number, path.name))
    if not found:
        raise ValueError(f"there is no @check in {folder.name}")
    return found


def check_id(number: str, function: str) -> str:
    """`00` and `test_greets_by_name` make `00.greets-by-name`."""
    return f"{number}.{function.removeprefix('test_').replace('_', '-')}"


def _decorator(node: ast.FunctionDef) -> ast.Call | None:
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Name) and decorator.func.id == "check":
            return decorator
    return None


def _spec(node: ast.FunctionDef, call: ast.Call, number: str, file: str) -> CheckSpec:
    where = f"{file}: {node.name}"
    try:
        given = {word.arg: ast.literal_eval(word.value) for word in call.keywords}
    except ValueError as error:
        raise ValueError(f"{where}: the arguments of @check must be literals") from error
    claim = " ".join((ast.get_docstring(node) or "").strip().split("\n\n")[0].split())
    if not claim or "task" not in given:
        raise ValueError(f"{where}: a check needs a claim (its docstring) and a task")
    lists = {name: tuple(given.get(name, ())) for name in _LISTS}
    return CheckSpec(check_id(number, node.name), given["task"], claim, node.name, file, **lists)
