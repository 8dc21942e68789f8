"""Put MathJax into the book, where `mathjax_path` looks for it, so that formulas show without a network."""

from importlib.resources import as_file, files
from pathlib import Path

from sphinx.util.fileutil import copy_asset

NEEDED = ("tex-mml-chtml.js", "output/chtml/fonts/woff-v2", "input/tex/extensions")


def copy_mathjax(app, exception):
    """Copy what a page can ask for; the whole distribution is ten times that."""
    if exception is not None or app.builder.format != "html":
        return
    target = Path(app.outdir) / "_static" / "mathjax"
    with as_file(files("sphinx-mathjax-offline") / "static" / "mathjax") as source:
        for name in NEEDED:
            place = target / name
            copy_asset(source / name, place if (source / name).is_dir() else place.parent)


def setup(app):
    app.connect("build-finished", copy_mathjax)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
