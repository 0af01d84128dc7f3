"""Reads the course's folders into frozen models."""

from cloudkata.course.load import (
    choose,
    choose_task,
    choose_variant,
    find_course,
    load_lab,
    load_misconceptions,
    load_neighbours,
)
from cloudkata.course.manifest import CourseError
from cloudkata.course.model import CheckSpec, Course, Edit, Lab, Task, Variant

__all__ = [
    "CheckSpec",
    "Course",
    "CourseError",
    "Edit",
    "Lab",
    "Task",
    "Variant",
    "choose",
    "choose_task",
    "choose_variant",
    "find_course",
    "load_lab",
    "load_misconceptions",
    "load_neighbours",
]
