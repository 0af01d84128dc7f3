"""What learner code may import: the `lab` that deploy.py is given."""

from kata_lab.lab import Lab

__all__ = ["Lab"]
