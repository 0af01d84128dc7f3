"""The packages that lab.package() can put beside a function's own code: pure Python, from this environment, offline.

Learner code sees their files and nothing else of the environment. DISTRIBUTIONS and what those need are all there is.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

DISTRIBUTIONS = ("aws-lambda-powertools",)
FOLDER = "/var/packages"  # where a sandbox has them


@dataclass(frozen=True)
class Offer:
    """What a distribution brings, by the name it has in an archive; or in `problem`, a sentence, why it cannot."""

    files: dict[str, str]
    problem: str = ""


@functools.cache
def offers(names: tuple[str, ...] = DISTRIBUTIONS) -> dict[str, Offer]:
    """Each distribution with all that it needs: the files and folders outside, by their place in an archive."""
    return {name: _offer(name) for name in names}


def _offer(name: str) -> Offer:
    files: dict[str, str] = {}
    wanted, seen = [name], set()
    while wanted:
        one = canonicalize_name(wanted.pop())
        if one in seen:
            continue
        seen.add(one)
        try:
            found = distribution(one)
        except PackageNotFoundError:
            return Offer({}, f'the package "{one}" is not installed: install cloudkata again')
        if "Root-Is-Purelib: true" not in (found.read_text("WHEEL") or ""):
            return Offer({}, f'the package "{one}" is not pure Python: it would not run on Lambda as it is here')
        files |= _top(found)
        needed = [Requirement(text) for text in found.requires or ()]
        wanted += [each.name for each in needed if each.marker is None or each.marker.evaluate({"extra": ""})]
    return Offer(files)


def _top(found: Distribution) -> dict[str, str]:
    """The files and folders that a distribution has at the top of site-packages."""
    names = {path.parts[0] for path in found.files or () if path.parts[0] not in ("..", "__pycache__")}
    return {name: str(Path(str(found.locate_file(name))).resolve()) for name in sorted(names)}
