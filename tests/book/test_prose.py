"""What a chapter asks of its reader: minutes as it states them, sentences that can be read, memory that Binder has."""

import json
from pathlib import Path

import nbformat
import prose
import pytest

from bloodcell_utils import course

ROOT = Path(__file__).parents[2]
MEASURED = json.loads((ROOT / "book" / "memory.json").read_text("utf-8"))["chapters"]

each_chapter = pytest.mark.parametrize("chapter", course.load().chapters, ids=lambda chapter: chapter.name)


def test_what_is_read_as_prose():
    text = prose.prose(
        "# A title\n\nA {term}`nucleus` with {term}`lobes <lobe>` {cite:p}`x2019`.\n\n"
        ":::{admonition} Recap\n:class: tip\nLook [twice](a.md)!\n:::\n\n"
        "```python\ncode()\n```\n\n| a | b |\n- one item\n- another **item**"
    )
    words = [" ".join(sentence) for sentence in prose.sentences(text)]
    assert words == ["A nucleus with lobes", "Look twice", "one item", "another item"]


@pytest.mark.parametrize(
    ("word", "count"),
    [("cell", 1), ("image", 2), ("images", 3), ("trained", 1), ("counted", 2), ("haematologist", 5), ("are", 1)]
    + [("nucleus", 3), ("neutrophil", 3), ("probability", 5), ("table", 2), ("create", 2), ("created", 3), ("x", 1)],
)
def test_syllables(word, count):
    assert prose.syllables(word) == count


def test_long_words_and_long_sentences_read_harder():
    plain = "We look at a cell. It is round."
    assert prose.reading_ease(plain) > prose.reading_ease(plain.replace(". It", " and it"))
    assert prose.reading_ease(plain) > prose.reading_ease("Characterise morphological heterogeneity. It is round.")


@each_chapter
def test_a_chapter_reads_easily(chapter):
    assert prose.reading_ease(prose.read(ROOT / "notebooks" / chapter.file)) >= 45


def test_code_and_figures_are_read_too(tmp_path):
    cells = [nbformat.v4.new_markdown_cell("word " * 200), nbformat.v4.new_code_cell("a\n\nb\nc")]
    cells += [nbformat.v4.new_code_cell("hidden", metadata={"tags": ["remove-input"], "mystnb": {"figure": {}}})]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "a.ipynb")
    assert prose.minutes(tmp_path / "a.ipynb") == pytest.approx(1 + 3 * 10 / 60 + 20 / 60)


@each_chapter
def test_a_chapter_takes_the_minutes_that_it_states(chapter):
    taken = prose.minutes(ROOT / "notebooks" / chapter.file) + MEASURED[chapter.name]["seconds"] / 60
    stated = chapter.minutes["reading"] + chapter.minutes["sample"]
    assert 0.75 * taken <= stated <= 1.25 * taken, f"{taken:.1f} minutes, and course.yml says {stated}"


@each_chapter
def test_a_chapter_fits_into_the_memory_of_binder(chapter):
    assert MEASURED[chapter.name]["peak_rss_mb"] <= 2000
