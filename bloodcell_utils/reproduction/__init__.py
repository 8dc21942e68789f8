"""The paper made again, item by item: what was printed, what was measured, how close the two are.

``verdicts``  a printed number, a measured interval, and what follows from the two
``settings``  in what a run differs from the paper's, and whether it is near enough for a verdict
``comparisons``  what speaks for each item: its lines
``items``     the checklist: tables, figures and equations of the paper
``runner``    every experiment in order, kept, resumed or reported
``table``     the checklist as tables of HTML
``report``    one page with everything
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submod_attrs={
    "evidence": ["Evidence"],
    "figures": ["compared"],
    "items": ["Row", "chapters_of", "checklist"],
    "report": ["write_report"],
    "runner": ["Outcome", "Task", "reproduce", "tasks"],
    "settings": ["differences"],
    "table": ["GROUPS", "anchor", "figure_list", "items_table", "tally_list"],
    "verdicts": ["KINDS", "MARKS", "Line", "compare", "tally"],
})  # fmt: skip
