"""Pieces of HTML that show themselves in a notebook and in the published page alike."""

from importlib import resources


class Page:
    """A piece of a page, in HTML.

    Parameters
    ----------
    html : str
    text : str
        What is shown where HTML is not.
    """

    def __init__(self, html, text):
        self.html, self.text = html, text

    def _repr_html_(self):
        return self.html

    def __repr__(self):
        return self.text


def asset(name):
    """A style sheet or a script of the package.

    Parameters
    ----------
    name : str
        For example ``"quiz.css"``.

    Returns
    -------
    str
    """
    return (resources.files(__package__) / "assets" / name).read_text("utf-8")
