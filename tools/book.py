"""Makes the course's site in build/book: briefs, executed notebooks, decks, cards and coverage, by Sphinx.

Before: decks in build/slides (make slides), executed notebooks in build/notebooks (tools/notebooks.py).
"""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat

from cloudkata.course import Course, find_course, load_lab
from cloudkata.course.study import Card, load_cards
from cloudkata.study.coverage import as_tables, coverage

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build"
SOURCE, SITE = BUILD / "book-source", BUILD / "book"
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def brief(course: Course, slug: str) -> str:
    """A lab's brief, with the ways to its deck and its notebook."""
    text = (course.starter(slug) / "README.md").read_text(encoding="utf-8")
    ways = (
        f"[Notebook](../notebooks/{slug}.md) · <a href='../slides/{slug}.html'>Deck</a> · [Cards](../cards/{slug}.md)"
    )
    title, _, rest = text.partition("\n")
    return f"{title}\n\n{ways}\n{rest}"


def notebook(slug: str, out: Path) -> str:
    """An executed notebook as Markdown; its plots become files beside it."""
    found = nbformat.read(BUILD / "notebooks" / f"{slug}.ipynb", as_version=4)
    parts: list[str] = []
    for place, cell in enumerate(found.cells):
        if cell.cell_type == "markdown":
            parts.append(re.sub(r"^```text seen\n.*?^```\n?", "", cell.source, flags=re.MULTILINE | re.DOTALL))
        elif cell.cell_type == "code" and cell.source.strip():
            parts.append(fenced(cell.source, "python"))
            for number, output in enumerate(cell.outputs):
                parts.append(shown(output, out, f"{slug}-{place}-{number}"))
    if not any(out.glob(f"{slug}-*.png")):
        raise SystemExit(f"the notebook of {slug} shows no plot: execute it with tools/notebooks.py")
    return "\n\n".join(part for part in parts if part.strip()) + "\n"


def shown(output, out: Path, name: str) -> str:
    """One output of a cell."""
    if output.output_type == "stream":
        return fenced(_COLOUR.sub("", output.text).rstrip(), "text")
    data = output.get("data", {})
    if "image/png" in data:
        (out / f"{name}.png").write_bytes(base64.b64decode(data["image/png"]))
        return f"![{output.metadata['image/png']['alt']}]({name}.png)"
    return fenced(data.get("text/plain", ""), "text")


def fenced(text: str, language: str) -> str:
    return f"````{language}\n{text}\n````" if text else ""


def cards(course: Course, slug: str, mine: list[Card]) -> str:
    """A lab's cards, each with its answer folded."""
    lab = load_lab(course, slug)
    parts = [f"# Cards of lab {lab.number}: {lab.title}", "Drill them with `kata cards`; `kata prove CARD` proves one."]
    if not mine:
        parts.append("This lab has no cards.")
    for card in mine:
        parts.append(f"## {card.situation}")
        checks = ", ".join(f"`{spec.id}`" for spec in lab.checks if card.id in spec.cards) or f"none: {card.unproved}"
        parts.append(f"**{card.answer}**\n\n{card.why}\n\nA wrong belief: {card.belief}\n\nProved by: {checks}")
        parts.append(f"Card `{card.id}`, [source]({card.page})")
    return "\n\n".join(parts) + "\n"


def index(course: Course) -> str:
    rows = ["| lab | title | minutes | to read |", "| --- | --- | --- | --- |"]
    for slug in course.labs:
        lab = load_lab(course, slug)
        ways = f"[brief](labs/{slug}.md) · [notebook](notebooks/{slug}.md) · <a href='slides/{slug}.html'>deck</a>"
        rows.append(f"| {lab.number} | {lab.title} | {lab.minutes} | {ways} · [cards](cards/{slug}.md) |")
    trees = "\n".join(
        f"```{{toctree}}\n:hidden:\n:caption: {caption}\n\n"
        + "\n".join(f"{kind}/{slug}" for slug in course.labs)
        + "\n```"
        for caption, kind in (("Briefs", "labs"), ("Notebooks", "notebooks"), ("Cards", "cards"))
    )
    intro = "A hands-on course for the AWS Developer exam: its briefs, notebooks, decks and cards, to read."
    more = "[What covers what](coverage.md): cards, labs, checks, questions and the skills of the exams."
    trees += "\n```{toctree}\n:hidden:\n:caption: More\n\ncoverage\n```"
    return f"# cloudkata\n\n{intro}\n\n" + "\n".join(rows) + f"\n\n{more}\n\n{trees}\n"


def gather(course: Course) -> None:
    """Write Sphinx's source anew."""
    shutil.rmtree(SOURCE, ignore_errors=True)
    for name in ("labs", "notebooks", "cards", "_static", "extra/slides"):
        (SOURCE / name).mkdir(parents=True)
    known = load_cards(course)
    for slug in course.labs:
        (SOURCE / "labs" / f"{slug}.md").write_text(brief(course, slug), encoding="utf-8")
        (SOURCE / "notebooks" / f"{slug}.md").write_text(notebook(slug, SOURCE / "notebooks"), encoding="utf-8")
        mine = [card for card in known.values() if card.lab == slug]
        (SOURCE / "cards" / f"{slug}.md").write_text(cards(course, slug, mine), encoding="utf-8")
        for kind in ("html", "pdf"):
            shutil.copyfile(BUILD / "slides" / f"{slug}.{kind}", SOURCE / "extra/slides" / f"{slug}.{kind}")
    (SOURCE / "index.md").write_text(index(course), encoding="utf-8")
    tables = f"# What covers what\n\n````{{raw}} html\n{as_tables(coverage(course))}\n````\n"
    (SOURCE / "coverage.md").write_text(tables, encoding="utf-8")
    shutil.copyfile(ROOT / "tools/site/conf.py", SOURCE / "conf.py")
    shutil.copyfile(ROOT / "tools/site/site.css", SOURCE / "_static/site.css")


# What the theme and Marp leave out for those who use a keyboard or have a page read to them.
AMENDED = (
    ('<p class="caption" role="heading">', '<p class="caption" role="heading" aria-level="2">'),
    ('<aside class="sidebar-drawer">', '<aside class="sidebar-drawer" aria-label="All pages">'),
    ('<aside class="toc-drawer', '<aside aria-label="On this page" class="toc-drawer'),
    ('<div class="table-wrapper', '<div tabindex="0" role="group" aria-label="A table" class="table-wrapper'),
    ("<pre>", '<pre tabindex="0">'),
    ('id="furo-main-content">\n          \n<noscript>', 'id="furo-main-content"><h1>Search</h1>\n<noscript>'),
    ('class="bespoke-marp-osc"', 'role="region" aria-label="Controls" class="bespoke-marp-osc"'),
)


def amend() -> None:
    """Make the pages usable for everybody."""
    for page in SITE.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        for old, new in AMENDED:
            text = text.replace(old, new)
        page.write_text(text, encoding="utf-8")


def main() -> int:
    gather(find_course(ROOT))
    shutil.rmtree(SITE, ignore_errors=True)
    words = ["-m", "sphinx", "-q", "-b", "html", "-W", "--keep-going", str(SOURCE), str(SITE)]
    status = subprocess.run([sys.executable, *words], check=False).returncode
    amend()
    return status


if __name__ == "__main__":
    sys.exit(main())
