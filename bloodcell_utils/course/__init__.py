"""The course around the chapters: what they ask, and what a learner has answered.

``chapters``     the course as data (``course.yml``): chapters, exercises, tracks
``questions``    the questions (``quizzes/``), shown by ``quiz``, exported by ``moodle``
``checks``       self-checks of exercises; ``computed_checks`` compares values with the right ones
``progress``     what is solved; ``certificate``, the page that says so
``syllabus``     what assesses which objective, how long a track takes
``comparison``   the table of models that grows from chapter to chapter
``capstone``     the workflow on a set of the reader's own; ``model_card``, what came of it
``network_card`` the card of the two networks that are shipped; the checklist that it leaves open
"""

import lazy_loader

_SUBMODULES = ["capstone", "model_card", "network_card"]

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submodules=_SUBMODULES, submod_attrs={
    "chapters": ["Chapter", "Exercise", "chapter", "load", "track"],
    "checks": ["check"],
    "comparison": ["standings"],
    "quiz": ["show_quiz"],
})  # fmt: skip
