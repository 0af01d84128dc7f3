"""Reads the course's folders into frozen models."""

from cloudkata.course.load import CourseError, find_course, load_lab
from cloudkata.course.model import CheckSpec, Course, Lab, Task

__all__ = ["CheckSpec", "Course", "CourseError", "Lab", "Task", "find_course", "load_lab"]
