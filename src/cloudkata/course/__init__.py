"""Reads the course's folders into frozen models.

Names are imported when they are asked for: the models of the manifests take longer to import than most commands run.
"""

from __future__ import annotations

import importlib

_WHERE = {
    "CheckSpec": "model",
    "Course": "model",
    "Edit": "model",
    "Lab": "model",
    "Task": "model",
    "Variant": "model",
    "CourseError": "find",
    "choose": "find",
    "find_course": "find",
    "Outline": "outline",
    "choose_task": "outline",
    "read_outline": "outline",
    "choose_variant": "load",
    "load_lab": "load",
    "load_misconceptions": "load",
    "load_neighbours": "load",
}


def __getattr__(name: str):
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_WHERE[name]}"), name)
