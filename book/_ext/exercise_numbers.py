"""Exercises are numbered from 1 in each chapter, as teachers' pages and the editions count them; Sphinx counts on."""


def renumber(app, env):
    """Give each page's exercises the numbers of their order on it."""
    for kinds in env.toc_fignumbers.values():
        kinds["exercise"] = {label: (number,) for number, label in enumerate(kinds.get("exercise", ()), 1)}
    return []


def setup(app):
    app.connect("env-get-updated", renumber, priority=900)  # after Sphinx has counted
    return {"parallel_read_safe": True, "parallel_write_safe": True}
