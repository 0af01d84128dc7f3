"""Where something is deployed to stay: the same place for whoever deploys, checks and takes down a lab there."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from cloudkata.cli.engine import NOT_UP
from cloudkata.course import Course, CourseError
from cloudkata.targets.session import Session


@contextlib.contextmanager
def standing(
    course: Course, slug: str, url: str, profile: str, start: bool = False
) -> Iterator[tuple[object, Session]]:
    """(a target, the session of what stands there for a lab). Raises CourseError or EngineError.

    `start`: start the engine of `kata up` where there is none.
    """
    number = slug.split("-", 1)[0]
    if profile:
        from cloudkata.targets.account import AccountTarget
        from cloudkata.targets.lab_roles import lab_policy
        from cloudkata.targets.permission import must_be_allowed
        from cloudkata.targets.profile import open_profile

        found = open_profile(profile)
        must_be_allowed(found)
        on_account = AccountTarget(found, lab_policy(course, slug))
        yield on_account, on_account.lasting(number)
    elif url:
        from cloudkata.targets.endpoint import EndpointTarget

        with EndpointTarget(url) as target:
            yield target, target.lasting(number)
    else:
        from cloudkata.targets import up as engines
        from cloudkata.targets.embedded import JoinedTarget

        up = engines.start()[0] if start else engines.find()
        if up is None:
            raise CourseError(f"{NOT_UP}, then deploy with kata deploy {number} or the settings of kata env {number}")
        joined = JoinedTarget(up.engine)
        yield joined, joined.session_in(up.account, up.keys, up.prefix(number))
