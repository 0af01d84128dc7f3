"""The site that `make book` makes: no link leads nowhere, and every page can be used by everybody, on a phone too."""

import json
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from cloudkata.course import find_course

ROOT = Path(__file__).parents[2]
SITE = ROOT / "build/book"
LINKS = {"a": "href", "link": "href", "script": "src", "img": "src", "iframe": "src"}
LOADS = {"link", "script", "img", "iframe"}


class Page(HTMLParser):
    """What a page names: its places to jump to, and where its links and files lead."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.places, self.links = set(), []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.places |= {found[name] for name in ("id", "name") if found.get(name)}
        if found.get(LINKS.get(tag, "")):
            self.links.append((tag, found[LINKS[tag]]))


@pytest.fixture(scope="module")
def pages():
    done = subprocess.run(["make", "book"], cwd=ROOT, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return {path: Page(path) for path in sorted(SITE.rglob("*.html"))}


def dangling(pages: dict[Path, Page]) -> list[str]:
    """Links that lead nowhere within the site."""
    found = []
    for path, page in pages.items():
        for _, link in page.links:
            url = urlsplit(link)
            if url.scheme or url.netloc:
                continue
            target = (path.parent / unquote(url.path)).resolve() if url.path else path
            lost = target in pages and url.fragment and unquote(url.fragment) not in pages[target].places
            if lost or not target.exists():
                found.append(f"{path.name}: {link}")
    return found


def test_every_lab_has_all_its_pages(pages):
    for slug in find_course(ROOT).labs:
        for kind in ("labs", "notebooks", "cards", "slides"):
            assert SITE / kind / f"{slug}.html" in pages


def test_every_link_leads_somewhere(pages):
    assert sum(len(page.links) for page in pages.values()) > 1000
    assert dangling(pages) == []


def test_a_link_to_nowhere_is_found(tmp_path):
    for name, body in (
        ("a.html", '<a href="b.html#there">x</a><a href="b.html#not">x</a>'),
        ("b.html", '<p id="there">'),
    ):
        (tmp_path / name).write_text(body)
    pages = {path: Page(path) for path in tmp_path.iterdir()}
    assert dangling(pages) == ["a.html: b.html#not"]
    (tmp_path / "b.html").unlink()
    assert len(dangling(pages)) == 2


def test_no_page_loads_from_another_host(pages):
    loaded = [link for page in pages.values() for tag, link in page.links if tag in LOADS]
    assert [link for link in loaded if urlsplit(link).netloc] == []


def test_the_search_knows_what_is_there(pages):
    index = (SITE / "searchindex.js").read_text(encoding="utf-8")
    assert "transactwriteitem" in index.lower() and "Races for money" in index


def look(folder: Path) -> dict:
    words = ["node", ROOT / "tools/site/look.mjs", folder]
    done = subprocess.run(words, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_axe_finds_nothing_on_a_phone_and_on_a_desk_nor_in_the_dark(pages):
    found = look(SITE)
    assert len(found) == len(pages)
    assert {name: problems for name, problems in found.items() if problems} == {}


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ('<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">', "image-alt"),
        ('<p style="color:#aaa">pale</p>', "color-contrast"),
        ('<div style="width:900px">wide</div>', "wide"),
        ('<img alt="x" src="http://127.0.0.1:9/x.png">', "request"),
    ],
)
def test_a_page_that_cannot_be_used_is_found(tmp_path, body, problem):
    page = (
        f'<!doctype html><html lang="en"><head><title>x</title></head><body><main><h1>x</h1>{body}</main></body></html>'
    )
    (tmp_path / "bad.html").write_text(page)
    assert problem in " ".join(look(tmp_path)["bad.html"])
