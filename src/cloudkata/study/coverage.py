"""What covers what: cards, labs, checks, questions, slides, notebooks and the skills of the exams, as one graph."""

from __future__ import annotations

import html
from dataclasses import asdict, dataclass

from cloudkata.course import Course, load_lab
from cloudkata.course.study import load_cards, load_exams, load_facts, load_questions
from cloudkata.course.teaching import DECK, NOTEBOOK, Material, load_material, materials

SCHEMA = "cloudkata.coverage/1"
BEHAVIOUR, CONFIGURATION, NOTHING = "behaviour", "configuration", "nothing"


@dataclass(frozen=True)
class CardRow:
    """One card. `proof` is `behaviour` where a check shows it, `configuration` where only a service model settles a
    number or name of it, `nothing` otherwise; `reason` says why no check does. `taught` names decks and notebooks.
    """

    id: str
    lab: str
    proof: str
    reason: str
    checks: tuple[str, ...]
    facts: tuple[str, ...]
    questions: tuple[str, ...]
    skills: tuple[str, ...]
    taught: tuple[str, ...]


@dataclass(frozen=True)
class SkillRow:
    """One skill of an exam, and what there is for it."""

    id: str
    text: str
    exam: str
    domain: str
    cards: tuple[str, ...]
    tasks: tuple[str, ...]
    checks: tuple[str, ...]
    questions: tuple[str, ...]
    taught: tuple[str, ...]

    @property
    def covered(self) -> bool:
        return bool(self.tasks or self.questions)


@dataclass(frozen=True)
class LabRow:
    slug: str
    tasks: int
    checks: int
    cards: int
    slides: bool
    notebook: bool


@dataclass(frozen=True)
class Coverage:
    cards: tuple[CardRow, ...]
    skills: tuple[SkillRow, ...]
    labs: tuple[LabRow, ...]

    def as_dict(self) -> dict:
        return {"schema": SCHEMA, **asdict(self)}


def coverage(course: Course) -> Coverage:
    """Read everything and tie it together. Raises CourseError."""
    cards, facts, questions = load_cards(course), load_facts(course), load_questions(course)
    labs = [load_lab(course, slug) for slug in course.labs]
    checks = [(lab, spec) for lab in labs for spec in lab.checks]
    taught = [load_material(path) for kind in (DECK, NOTEBOOK) for path in materials(course, kind)]
    card_rows = []
    for card in cards.values():
        mine = tuple(spec.id for _, spec in checks if card.id in spec.cards)
        settled = tuple(fact.id for fact in facts.values() if fact.card == card.id)
        there = any(lab.slug == card.lab for lab in labs)
        proof = BEHAVIOUR if mine else CONFIGURATION if settled else NOTHING
        reason = "" if mine else card.unproved or ("no lab" if not card.lab else "" if there else "the lab is to come")
        asked = tuple(question.id for question in questions.values() if card.id in question.cards)
        told = tuple(one.name for one in taught if card.id in one.covers.cards)
        card_rows.append(CardRow(card.id, card.lab, proof, reason, mine, settled, asked, card.skills, told))
    skill_rows = []
    for exam in load_exams(course).values():
        for skill in exam.skill:
            tasks = [(lab, task) for lab in labs for task in lab.tasks if skill.id in task.skills]
            behind = {(lab.slug, task.id) for lab, task in tasks}
            skill_rows.append(
                SkillRow(
                    skill.id,
                    skill.text,
                    exam.name,
                    skill.domain,
                    tuple(card.id for card in cards.values() if skill.id in card.skills),
                    tuple(f"{lab.number}.{task.id}" for lab, task in tasks),
                    tuple(spec.id for lab, spec in checks if (lab.slug, spec.task) in behind),
                    tuple(question.id for question in questions.values() if skill.id in question.skills),
                    tuple(one.name for one in taught if _teaches(one, skill.id, behind)),
                )
            )
    lab_rows = [
        LabRow(
            lab.slug,
            len(lab.tasks),
            len(lab.checks),
            sum(card.lab == lab.slug for card in cards.values()),
            *(any((one.kind, one.slug) == (kind, lab.slug) for one in taught) for kind in (DECK, NOTEBOOK)),
        )
        for lab in labs
    ]
    return Coverage(tuple(card_rows), tuple(skill_rows), tuple(lab_rows))


def _teaches(one: Material, skill: str, behind: set[tuple[str, str]]) -> bool:
    """Whether it names the skill, or a task that is one of those `behind` it."""
    return skill in one.covers.skills or any((one.slug, task) in behind for task in one.covers.tasks)


_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1a1a1a}"
    "table{border-collapse:collapse;width:100%;margin:1rem 0}th,td{text-align:left;padding:.3rem .6rem;"
    "border-bottom:1px solid #ddd;vertical-align:top}.none{color:#8a1c1c}code{font-size:.9em}"
    "div{overflow-x:auto}"
)


def as_page(found: Coverage) -> str:
    """The same as one HTML page that needs no other file."""
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><style>{_STYLE}</style>'
    start = f'<!doctype html><html lang="en"><head>{head}<title>Coverage</title></head>'
    return f"{start}<body><main><h1>Coverage</h1>{as_tables(found)}</main></body></html>\n"


def as_tables(found: Coverage) -> str:
    """The tables of that page, to be put into another one."""
    cards = [
        (
            row.id,
            row.lab,
            row.proof,
            ", ".join(row.checks) or row.reason,
            ", ".join(row.facts),
            len(row.questions),
            len(row.taught),
        )
        for row in found.cards
    ]
    skills = [
        (
            row.exam,
            row.id,
            row.text,
            ", ".join(row.tasks),
            len(row.checks),
            len(row.questions),
            len(row.cards),
            len(row.taught),
        )
        for row in found.skills
    ]
    labs = [
        (row.slug, row.tasks, row.checks, row.cards, "yes" if row.slides else "no", "yes" if row.notebook else "no")
        for row in found.labs
    ]
    return (
        _table("Labs", ("lab", "tasks", "checks", "cards", "slides", "notebook"), labs)
        + _table("Cards", ("card", "lab", "proved by", "checks, or why none", "facts", "questions", "taught in"), cards)
        + _table("Skills", ("exam", "skill", "text", "tasks", "checks", "questions", "cards", "taught in"), skills)
    )


def _table(title: str, columns: tuple[str, ...], rows: list[tuple]) -> str:
    head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in columns)
    lines = "".join(
        "<tr>"
        + "".join(f"<td>{html.escape(str(cell)) or '<span class=none>none</span>'}</td>" for cell in row)
        + "</tr>"
        for row in rows
    )
    box = f'<div role="region" tabindex="0" aria-label="{title}">'
    return f"<h2>{title}</h2>{box}<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>"
