"""The paper made again, item by item: what was printed, what was measured, how close the two are.

``verdicts``  a printed number, a measured interval, and what follows from the two
``items``     the checklist: tables, figures and equations of the paper, each with its evidence
``runner``    every experiment in order, kept, resumed or reported
``report``    one page with everything, and ``report.css``, how it looks
"""

from .items import Row, chapters_of, checklist
from .report import write_report
from .runner import Outcome, Task, reproduce, tasks
from .verdicts import KINDS, MARKS, Line, compare, summary, tally

__all__ = [
    "KINDS",
    "MARKS",
    "Line",
    "Outcome",
    "Row",
    "Task",
    "chapters_of",
    "checklist",
    "compare",
    "reproduce",
    "summary",
    "tally",
    "tasks",
    "write_report",
]
