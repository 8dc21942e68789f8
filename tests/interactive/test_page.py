"""Templates: what a user named stays text, on every piece of a page and in Markdown."""

import json
import re

import jinja2
import numpy as np
import pytest
from bs4 import BeautifulSoup
from markdown_it import MarkdownIt

from bloodcell_utils.interactive import frames, kernel, matrix_explorer, page, prevalence

HERE = "bloodcell_utils.interactive"
IMAGE = np.zeros((8, 8, 3), np.uint8)
SCORES, POSITIVE = np.array([0.1, 0.4, 0.6, 0.9]), np.array([False, True, False, True])
PIECES = {
    "class of a matrix": lambda name: matrix_explorer.explore_matrix([[1, 2], [0, 3]], classes=["b", name]),
    "title of a matrix": lambda name: matrix_explorer.explore_matrix([[1, 2], [0, 3]], classes=["a", "b"], title=name),
    "group of a gallery": lambda name: matrix_explorer.gallery({name: [(IMAGE, "90 %")], "b": [], "c": []}),
    "caption of a gallery": lambda name: matrix_explorer.gallery({"a": [(IMAGE, name)]}),
    "kind to find": lambda name: prevalence.explore_threshold(SCORES, POSITIVE, name),
    "what a mark means": lambda name: prevalence.explore_threshold(SCORES, POSITIVE, where=name),
    "name of a kernel": lambda name: kernel.explore_kernel(IMAGE[..., 0], {name: np.eye(3, dtype=int)}),
    "label of a picture": lambda name: frames.show_frames([IMAGE], [name], "A picture"),
    "words for a picture": lambda name: frames.show_frames([IMAGE], ["a"], f"A picture of {name}"),
    "title of pictures": lambda name: frames.show_frames([IMAGE, IMAGE], ["a", "b"], "A picture", title=name),
    "control of a grid": lambda name: frames.grid(lambda a: (IMAGE, "a"), {name: [1, 2]}, "A picture"),
    "value of a grid": lambda name: frames.grid(lambda a: (IMAGE, "a"), {"a": [name, "b"]}, "A picture"),
    "title of a grid": lambda name: frames.grid(lambda a: (IMAGE, "a"), {"a": [1]}, "A picture", title=name),
    "line of a grid": lambda name: frames.grid(lambda a: (IMAGE, name), {"a": [1]}, "A picture"),
}


@pytest.mark.parametrize("piece", PIECES)
def test_a_name_is_text_and_nothing_else(piece, holds_names):
    holds_names(lambda name: PIECES[piece](name)._repr_html_())


def test_a_picture_alone(holds_names):
    holds_names(lambda name: frames.img(IMAGE, name))


def test_what_a_script_is_given_is_what_was_named():
    name = """</script><b title="x">'&"""
    html = matrix_explorer.explore_matrix([[1, 2], [0, 3]], classes=["b", name])._repr_html_()
    data = json.loads(BeautifulSoup(html, "html.parser").find("script", type="application/json").string)
    assert data["cells"]["0,1"]["title"] == f"b, called {name}"
    slider = frames.grid(lambda a: (IMAGE, "a"), {"a": [1, 2.5]}, "A picture")._repr_html_()
    assert json.loads(BeautifulSoup(slider, "html.parser").input["data-values"]) == ["1", "2.5"]


def test_files_beside_the_templates_keep_their_braces():
    assert "{ display: contents; }" in page.asset(HERE, "frames.css")
    assert "`${i + 1} / ${pictures.length}`" in frames.show_frames([IMAGE], ["a"], "A picture")._repr_html_()


def test_a_value_that_was_forgotten_is_an_error():
    with pytest.raises(jinja2.UndefinedError, match="source"):
        page.render(HERE, "img.html", alt="a")


@pytest.mark.parametrize("form", [page.markdown_text, page.markdown_code])
@pytest.mark.parametrize("around", ["{}", "**{}**", "- {}: 3", "| a | b |\n| -- | -- |\n| {} | 2 |"])
def test_a_name_in_markdown(form, around, holds_names):
    markdown = MarkdownIt("commonmark").enable("table")
    if form is page.markdown_text:
        around = around.replace("{}", "of {}")  # no line of a page begins with such a text
    holds_names(lambda name: markdown.render(around.format(form(name))))


def test_a_name_in_markdown_that_is_read_as_html(holds_names):
    holds_names(lambda name: str(page.markdown_text(name)))
    holds_names(lambda name: re.sub("^`(.*)`$", r"<code>\1</code>", str(page.markdown_code(name))))


def test_plain_names_stay_readable_in_markdown():
    assert page.markdown_code("left-shift, 3 %") == "`left-shift, 3 %`"
    assert page.markdown_text("Is it a band (or not)? 50 %: yes.") == "Is it a band (or not)? 50 %: yes."
