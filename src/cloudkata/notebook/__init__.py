"""What a notebook imports: `lab` deploys the code of a lab to explore it, `plot` draws what was measured."""

from cloudkata.notebook.drawing import plot
from cloudkata.notebook.explored import Explored, NotebookError, lab

__all__ = ["Explored", "NotebookError", "lab", "plot"]
