"""What covers what."""

import re
from pathlib import Path

from cloudkata.course import find_course, load_lab
from cloudkata.course.study import load_cards, load_exams
from cloudkata.study.coverage import BEHAVIOUR, CONFIGURATION, NOTHING, as_page, coverage

COURSE = find_course(Path(__file__))
FOUND = coverage(COURSE)


def test_every_card_skill_and_lab_has_a_row():
    assert [row.id for row in FOUND.cards] == list(load_cards(COURSE))
    assert [row.id for row in FOUND.skills] == [s.id for exam in load_exams(COURSE).values() for s in exam.skill]
    assert [row.slug for row in FOUND.labs] == list(COURSE.labs)


def test_a_card_is_proved_by_the_checks_that_name_it():
    lab = load_lab(COURSE, "14-dynamodb-transactions")
    row = next(row for row in FOUND.cards if row.id == "ddb-atomic-counter")
    assert row.proof == BEHAVIOUR and not row.reason
    assert row.checks == tuple(spec.id for spec in lab.checks if "ddb-atomic-counter" in spec.cards)


def test_what_no_check_proves_says_why():
    assert {row.proof for row in FOUND.cards} == {BEHAVIOUR, CONFIGURATION, NOTHING}
    for row in FOUND.cards:
        assert bool(row.checks) != bool(row.reason), row
        assert (row.proof == BEHAVIOUR) == bool(row.checks)
        assert row.proof != NOTHING or not row.facts


def test_a_skill_is_covered_by_a_task_or_a_question():
    row = next(row for row in FOUND.skills if row.id == "C03-dynamodb-design")
    assert row.covered and "14.open" in row.tasks and row.checks and row.questions and row.cards


def test_the_page_needs_nothing_else_and_holds_everything():
    page = as_page(FOUND)
    assert not re.search(r"(src|href)=", page)
    assert all(f">{row.id}<" in page for row in (*FOUND.cards, *FOUND.skills))


def test_a_card_and_a_skill_know_the_decks_and_notebooks_that_teach_them():
    name = "14-dynamodb-transactions.md"
    card = next(row for row in FOUND.cards if row.id == "ddb-transactions")
    skill = next(row for row in FOUND.skills if row.id == "C02-1.3.2")
    assert card.taught == (f"slides/{name}", f"notebooks/{name}")
    assert f"slides/{name}" in skill.taught
    assert all(row.slides and row.notebook for row in FOUND.labs)
