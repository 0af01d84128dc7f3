"""Mock exams: how they are drawn and kept, and what they dare to say."""

import random
from collections import Counter
from pathlib import Path

import pytest

from cloudkata.course import CourseError, find_course
from cloudkata.course.study import load_exams, load_questions
from cloudkata.study.mock_exam import (
    Sittings,
    covered,
    draw,
    is_right,
    options_in_order,
    readiness,
    share_with_interval,
)

COURSE = find_course(Path(__file__))
EXAMS, QUESTIONS = load_exams(COURSE), load_questions(COURSE)


@pytest.mark.parametrize("name", EXAMS)
@pytest.mark.parametrize("count", [20, 65])
def test_questions_are_drawn_by_the_weights_of_the_domains(name, count):
    exam = EXAMS[name]
    drawn = draw(exam, QUESTIONS, count, 7)
    assert len(set(drawn)) == count
    domains = {skill.id: skill.domain for skill in exam.skill}
    counts = Counter(next(domains[s] for s in QUESTIONS[q].skills if s in domains) for q in drawn)
    for domain in exam.domain:
        assert abs(counts[domain.id] - count * domain.weight / 100) < 1, counts


def test_a_seed_draws_the_same_exam():
    exam = EXAMS["DVA-C03"]
    assert draw(exam, QUESTIONS, 20, 7) == draw(exam, QUESTIONS, 20, 7) != draw(exam, QUESTIONS, 20, 8)


def test_more_questions_than_there_are_get_a_sentence():
    with pytest.raises(CourseError, match=r"questions, .* are needed"):
        draw(EXAMS["DVA-C03"], QUESTIONS, 1000, 7)


def test_the_right_options_do_not_stand_in_one_place():
    places = Counter()
    for question in QUESTIONS.values():
        for seed in range(20):
            order = options_in_order(question, seed)
            assert sorted(order) == list(range(len(question.option)))
            places[next(place for place, number in enumerate(order) if question.option[number].right)] += 1
    assert len(places) >= 4 and max(places.values()) < 0.5 * sum(places.values()), places


def test_only_exactly_the_right_options_count():
    question = next(q for q in QUESTIONS.values() if q.choose == 2)
    right = [number for number, option in enumerate(question.option) if option.right]
    assert is_right(question, right) and is_right(question, reversed(right))
    assert not is_right(question, right[:1]) and not is_right(question, range(len(question.option)))
    assert not is_right(question, ())


def test_the_interval_holds_the_true_share_about_nine_times_in_ten():
    chance = random.Random(20261124)
    held = 0
    for _ in range(2000):
        true, asked = chance.uniform(0.2, 0.95), chance.randint(5, 60)
        found = share_with_interval("x", sum(chance.random() < true for _ in range(asked)), asked)
        held += found.low <= true <= found.high
    assert 0.87 < held / 2000 < 0.94
    assert (share_with_interval("x", 0, 0).low, share_with_interval("x", 0, 0).high) == (0.0, 1.0)


def test_readiness_is_told_of_skills_that_were_asked_alone():
    exam = EXAMS["DVA-C03"]
    question = next(iter(QUESTIONS.values()))
    right = tuple(number for number, option in enumerate(question.option) if option.right)
    found = readiness(exam, QUESTIONS, {question.id: right})
    assert {one.part for one in found} == {s for s in question.skills if s.startswith("C03")}
    assert all(one.right == one.asked == 1 and one.low < 0.5 for one in found)


def test_coverage_counts_questions_and_labs():
    exam = EXAMS["DVA-C03"]
    none, all_ = covered(exam, [], set())
    one, _ = covered(exam, [], {exam.skill[0].id, "C02-1.1.1"})
    assert (none, one, all_) == (0, 1, len(exam.skill))


def test_a_sitting_is_kept_answer_by_answer(tmp_path):
    sittings = Sittings(tmp_path)
    assert sittings.open() is None
    begun = sittings.begin("DVA-C03", ["a", "b"], 7, 1000.0, 60.0)
    sittings.answer(begun, "a", [2, 0], 1001.0)
    sittings.answer(begun, "a", [1], 1002.0)
    again = Sittings(tmp_path).open()
    assert (again.questions, again.seed, again.seconds, again.answers) == (("a", "b"), 7, 60.0, {"a": (1,)})
    sittings.end(begun, 1003.0)
    assert Sittings(tmp_path).open() is None and Sittings(tmp_path).all()[0].ended
