"""Which belief a set of failed checks usually comes from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cloudkata.course import Course, CourseError, Variant, load_misconceptions
from cloudkata.grading.records import recorded

_MOST = 2
_NEAR = 0.5  # of the checks that either set has, the share that both must have


@dataclass(frozen=True)
class Diagnosis:
    """Misconceptions that fit what failed: one that is `certain`, or at most two that often look like this."""

    misconceptions: tuple[Variant, ...] = ()
    certain: bool = False


def diagnose(course: Course, slug: str, failing: Iterable[str]) -> Diagnosis:
    """Compare the failed checks with the failing sets that the matrix has recorded."""
    seen = set(failing)
    try:
        known = {variant.id: variant for variant in load_misconceptions(course, slug)}
    except CourseError:
        return Diagnosis()
    sets = {name: set(checks) for name, checks in recorded(course, slug).items() if name in known}
    if not seen or not sets:
        return Diagnosis()
    equal = [known[name] for name, checks in sets.items() if checks == seen]
    if len(equal) == 1:
        return Diagnosis((equal[0],), certain=True)
    if equal:
        return Diagnosis(tuple(equal[:_MOST]))
    likeness = {name: len(checks & seen) / len(checks | seen) for name, checks in sets.items()}
    near = sorted((name for name in sets if likeness[name] >= _NEAR), key=lambda name: -likeness[name])
    return Diagnosis(tuple(known[name] for name in near[:_MOST]))
