"""What authors of checks import."""

from cloudkata.checking.expectation import NotAsExpected, expect
from cloudkata.checking.lab import CheckedLab, Reply
from cloudkata.checking.waiting import eventually
from cloudkata.deployment.learner import Called, Folder
from cloudkata.targets.session import Keys

__all__ = ["Called", "CheckedLab", "Folder", "Keys", "NotAsExpected", "Reply", "check", "eventually", "expect"]


def check(*, task: str, needs=(), after=(), cards=()):
    """Mark a function as a check: one claim, its docstring, about the deployed lab.

    The arguments are read from the source and must be literals; here they only mark the function.
    """

    def mark(function):
        function.kata_check = {"task": task, "needs": needs, "after": after, "cards": cards}
        return function

    return mark
