"""Paths and payload templates: what is read, what is an error, and where a result goes."""

import pytest

from cloudkata.engine.workflows.errors import HEARTBEAT, StateError, matches
from cloudkata.engine.workflows.paths import NotFound, Scope, evaluate, fill, place, read

DATA = {"a": {"b": [1, 2, {"c": None}]}, "odd key": 3, "list": [{"n": 1}, {"n": 5}]}
SCOPE = Scope(DATA, {"Task": {"Token": "t"}}, {"kept": {"x": 7}})


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("$", DATA),
        ("$.a.b[1]", 2),
        ("$['odd key']", 3),
        ("$.a.b[2].c", None),
        ("$$.Task.Token", "t"),
        ("$kept.x", 7),
        ("$.list[*].n", [1, 5]),
        ("$.list[?(@.n > 2)].n", [5]),
        ("$..n", [1, 5]),
        ("$.list[?(@.n > 9)]", []),
    ],
)
def test_a_path_reads(path, value):
    assert read(path, SCOPE) == value


@pytest.mark.parametrize("path", ["$.nothing", "$.a.b[9]", "$.a.b.c", "$$.Map.Item", "$other", "$.list.n"])
def test_a_path_that_finds_nothing_is_told(path):
    with pytest.raises(NotFound):
        read(path, SCOPE)


def test_a_template_is_filled_at_every_depth():
    template = {"x.$": "$.a.b[0]", "deep": [{"y.$": "$$.Task.Token", "z": 1}], "plain": "$.a"}
    assert fill(template, SCOPE) == {"x": 1, "deep": [{"y": "t", "z": 1}], "plain": "$.a"}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("States.Format('{}/{}', $.a.b[0], 'x')", "1/x"),
        ("States.Format('{}', $.list[0])", '{"n":1}'),
        ("States.ArrayRange(0, States.ArrayLength($.list), 1)", [0, 1, 2]),
        ("States.MathAdd($kept.x, 1)", 8),
    ],
)
def test_an_intrinsic_function_computes(expression, value):
    assert evaluate(expression, SCOPE, "v.$") == value


@pytest.mark.parametrize(
    ("expression", "error"),
    [
        ("States.Format('{}', $.nothing)", "States.Runtime"),
        ("States.StringToJson($.a)", "States.IntrinsicFailure"),
        ("States.ArrayRange(0, 100000000, 1)", "States.IntrinsicFailure"),
        ("States.Nothing(1)", "States.IntrinsicFailure"),
    ],
)
def test_an_intrinsic_function_fails(expression, error):
    with pytest.raises(StateError) as failed:
        evaluate(expression, SCOPE, "v.$")
    assert failed.value.error == error


def test_a_result_is_put_beside_the_input():
    assert place("$.x.y", {"x": {"z": 1}}, 2) == {"x": {"z": 1, "y": 2}}
    assert place(None, {"x": 1}, 2) == {"x": 1}
    assert place("$", {"x": 1}, 2) == 2
    with pytest.raises(StateError):
        place("$.x", [1], 2)


@pytest.mark.parametrize(
    ("wanted", "error", "covered"),
    [
        (["States.ALL"], "Mine", True),
        (["States.ALL"], "States.Runtime", False),
        (["States.ALL"], "States.DataLimitExceeded", False),
        (["States.DataLimitExceeded"], "States.DataLimitExceeded", True),
        (["States.TaskFailed"], "Mine", True),
        (["States.TaskFailed"], "States.Timeout", False),
        (["States.TaskFailed"], HEARTBEAT, False),
        (["States.Timeout"], HEARTBEAT, True),
        (["States.Runtime"], "States.Runtime", False),
    ],
)
def test_an_error_is_covered_or_not(wanted, error, covered):
    assert matches(wanted, error) is covered
