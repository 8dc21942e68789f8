"""Buttons at the head of a page that the theme does not have: a hub of the reader's own, and the printed chapter.

Colab and Binder come from the theme. A hub has no common address, so its button leads to nbgitpuller's own form, filled
in but for that.
"""

import os
import sys
from pathlib import Path
from urllib.parse import urlencode

from sphinx_book_theme.header_buttons import get_repo_url

sys.path.append(str(Path(__file__).parents[1] / "tools"))
import printing  # noqa: E402

FORM = "https://nbgitpuller.readthedocs.io/en/latest/link.html"


def hub(repository, branch, page):
    """The form that makes a link for a hub with nbgitpuller.

    Parameters
    ----------
    repository, branch : str
    page : str
        A notebook, for example ``"notebooks/01_dataset"``.

    Returns
    -------
    str
    """
    opened = f"lab/tree/{Path(repository).name}/{page}.ipynb"
    return f"{FORM}?{urlencode({'repo': repository, 'branch': branch, 'urlpath': opened})}"


def add(app, pagename, templatename, context, doctree):
    """Add what this page can offer."""
    groups = {button.get("label"): button["buttons"] for button in context["header_buttons"] if "buttons" in button}
    if "launch-buttons" in groups:
        repository, branch = get_repo_url(context)[0], context["github_version"]
        groups["launch-buttons"].append(
            {
                "type": "link",
                "text": "JupyterHub",
                "tooltip": "Make a link for a JupyterHub of yours",
                "url": hub(repository, branch, pagename),
                "icon": "fas fa-server",
            }
        )
    if app.config.bloodcell_printed and printing.on_paper(pagename) and "download-buttons" in groups:
        groups["download-buttons"][-1:] = [
            printed(context["pathto"](printing.place(pagename), 1), ".pdf", "This page on paper"),
            printed(context["pathto"](printing.WHOLE, 1), "all as .pdf", "The whole book on paper"),
        ]


def printed(url, text, tooltip):
    """A button for what `printing` writes, in place of the theme's, which asks the browser to print."""
    return {"type": "link", "url": url, "text": text, "tooltip": tooltip, "icon": "fas fa-file-pdf"}


def setup(app):
    app.add_config_value("bloodcell_printed", "BLOODCELL_PRINT" in os.environ, "html")
    app.connect("html-page-context", add, priority=600)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
