"""The paper made again, item by item: what was printed, what was measured, how close the two are.

``verdicts``  a printed number, a measured interval, and what follows from the two
``items``     the checklist: tables, figures and equations of the paper, each with its evidence
``runner``    every experiment in order, kept, resumed or reported
``table``     the checklist as tables of HTML, and ``table.css``, how they look
``report``    one page with everything, and ``report.css``
"""

from .items import Row, chapters_of, checklist
from .report import write_report
from .runner import Outcome, Task, reproduce, tasks
from .table import GROUPS, anchor, items_table, style, tally_list
from .verdicts import KINDS, MARKS, Line, compare, tally

__all__ = [
    "GROUPS",
    "KINDS",
    "MARKS",
    "Line",
    "Outcome",
    "Row",
    "Task",
    "anchor",
    "chapters_of",
    "checklist",
    "compare",
    "items_table",
    "reproduce",
    "style",
    "tally",
    "tally_list",
    "tasks",
    "write_report",
]
