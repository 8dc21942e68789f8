"""What a word of the glossary means and what a citation cites, shown beside the link to it (book/_static/tips.js).

Each page carries the texts of its own links, so that they show offline and from a file, too. Written here and not with
Sphinx-tippy: that brings two libraries to every page, three times the code that shows a line of text.
"""

import json
import re

from docutils import nodes

SOURCES = ("book/glossary", "book/bibliography")
LINK = re.compile(rf'href="[^"#]*(?:{"|".join(name.split("/")[1] for name in SOURCES)})\.html#([\w:.-]+)"')


def texts(app):
    """What each anchor of the glossary and of the bibliography stands for, as text.

    Returns
    -------
    dict of str to str
    """
    found = {}
    for docname in SOURCES:
        tree = app.env.get_and_resolve_doctree(docname, app.builder)
        for item in tree.findall(nodes.definition_list_item):
            meaning = item[-1].astext().replace("\n", " ")
            found |= {anchor: meaning for term in item.findall(nodes.term) for anchor in term["ids"]}
        for citation in tree.findall(nodes.citation):
            said = " ".join(part.astext() for part in citation.children if not isinstance(part, nodes.label))
            found |= {anchor: said.replace("\n", " ") for anchor in citation["ids"]}
    return found


def add(app, pagename, templatename, context, doctree):
    """Put the texts of a page's links at its end."""
    if doctree is None or pagename in SOURCES:
        return
    wanted = set(LINK.findall(context["body"]))
    if not wanted:
        return
    if not hasattr(app, "bloodcell_tips"):
        app.bloodcell_tips = texts(app)
    tips = {anchor: app.bloodcell_tips[anchor] for anchor in sorted(wanted) if anchor in app.bloodcell_tips}
    data = json.dumps(tips, ensure_ascii=False).replace("<", "\\u003c")
    context["body"] += f'<script type="application/json" id="tips">{data}</script>'
    context["body"] += f'<script defer src="{context["pathto"]("_static/tips.js", 1)}"></script>'


def setup(app):
    app.connect("html-page-context", add, priority=950)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
