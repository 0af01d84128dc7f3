"""Which records a mapping's filter criteria keep."""

import json

import pytest

from cloudkata.engine.event_filter import EventFilter, FilterError, decoded


def criteria(*patterns):
    return {"Filters": [{"Pattern": json.dumps(pattern)} for pattern in patterns]}


def keeps(pattern, body):
    return EventFilter(criteria({"body": pattern})).keeps({"body": body})


RECORD = {
    "kind": "Order",
    "total": 12.5,
    "open": True,
    "note": None,
    "empty": "",
    "tags": ["a", "b"],
    "at": {"city": "Bonn"},
}


@pytest.mark.parametrize(
    "pattern",
    [
        {"kind": ["Invoice", "Order"]},
        {"kind": ["Order"], "open": [True]},
        {"note": [None]},
        {"empty": [""]},
        {"total": [12.5]},
        {"total": [{"numeric": [">", 10, "<=", 12.5]}]},
        {"total": [{"numeric": ["=", 12.5]}]},
        {"kind": [{"prefix": "Ord"}]},
        {"kind": [{"suffix": "der"}]},
        {"kind": [{"equals-ignore-case": "ORDER"}]},
        {"kind": [{"anything-but": ["Invoice", "Offer"]}]},
        {"kind": [{"exists": True}], "gone": [{"exists": False}]},
        {"tags": ["b"]},
        {"at": {"city": ["Bonn"]}},
        {"at": {"street": [{"exists": False}]}},
        {"$or": [{"kind": ["Invoice"]}, {"total": [{"numeric": ["<", 13]}]}]},
    ],
    ids=str,
)
def test_keeps_what_matches(pattern):
    assert keeps(pattern, RECORD)


@pytest.mark.parametrize(
    "pattern",
    [
        {"kind": ["order"]},
        {"kind": ["Order"], "open": [False]},
        {"open": [1]},
        {"total": ["12.5"]},
        {"total": [{"numeric": [">", 12.5]}]},
        {"kind": [{"numeric": [">", 0]}]},
        {"kind": [{"prefix": "der"}]},
        {"kind": [{"anything-but": "Order"}]},
        {"gone": [{"anything-but": "Order"}]},
        {"gone": [{"exists": True}]},
        {"at": [{"exists": True}]},
        {"tags": ["c"]},
        {"at": {"city": ["Berlin"]}},
        {"$or": [{"kind": ["Invoice"]}, {"total": [1]}]},
    ],
    ids=str,
)
def test_drops_what_does_not_match(pattern):
    assert not keeps(pattern, RECORD)


def test_one_of_several_patterns_is_enough():
    found = EventFilter(criteria({"body": {"kind": ["Invoice"]}}, {"body": {"kind": ["Order"]}}))
    assert found.keeps({"body": RECORD})


def test_without_patterns_everything_is_kept():
    assert EventFilter(None).keeps({}) and EventFilter({"Filters": []}).keeps({})


@pytest.mark.parametrize(
    ("pattern", "body", "kept"),
    [
        (["hello"], "hello", True),
        (["hello"], '{"hello": 1}', False),
        ({"hello": [1]}, "hello", False),
        ({"hello": [1]}, '{"hello": 1}', True),
        ([{"prefix": "he"}], "hello", True),
    ],
)
def test_text_patterns_are_for_text_and_json_patterns_for_json(pattern, body, kept):
    assert keeps(pattern, decoded(body)) is kept


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "no json",
        "[]",
        '{"a": 1}',
        '{"a": []}',
        '{"a": [{"less": 1}]}',
        '{"a": [{"numeric": ["<"]}]}',
        '{"$or": [{"a": [1]}]}',
    ],
)
def test_what_is_no_pattern_is_refused(pattern):
    with pytest.raises(FilterError):
        EventFilter({"Filters": [{"Pattern": pattern}]})


def test_six_patterns_are_refused():
    with pytest.raises(FilterError):
        EventFilter(criteria(*({"body": {"n": [n]}} for n in range(6))))
