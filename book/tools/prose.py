"""How long a chapter is, and how hard it is to read: words, minutes, Flesch's reading ease.

usage: python book/tools/prose.py [NOTEBOOK ...]
"""

import re
import sys
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[2]
WORDS_A_MINUTE, SECONDS_A_LINE, SECONDS_A_FIGURE = 200, 10, 20


def prose(markdown):
    """What a reader reads of MyST Markdown as sentences: no code, tables, formulas, headings, citations or markup.

    Parameters
    ----------
    markdown : str

    Returns
    -------
    str
        Paragraphs, separated by empty lines; items of lists are paragraphs.
    """
    text = re.sub(r"```.*?```", "", markdown, flags=re.S)
    text = re.sub(r"^#.*$|^:::.*$|^:[\w-]+:.*$|^\|.*$|^```.*$|^\(\w[\w-]*\)=$", "", text, flags=re.M)
    text = re.sub(r"\$\$.*?\$\$", "", text, flags=re.S)
    text = re.sub(r"\{cite:t\}`[^`]*`", "Somebody", text)
    text = re.sub(r"\s*\{cite:p\}`[^`]*`", "", text)
    text = re.sub(r"\{\w[\w:-]*\}`([^`<]*?)\s*(?:<[^`]*>)?`", r"\1", text)
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"\$[^$]*\$|`[^`]*`", "x", text)
    text = re.sub(r"^\s*(?:[-*]|\d+\.)\s+", "\n", text, flags=re.M)
    return re.sub(r"[*_]+", "", text)


def sentences(text):
    """The sentences of some prose, each a list of words.

    Parameters
    ----------
    text : str
        As `prose` gives it.

    Returns
    -------
    list of list of str
    """
    paragraphs = (re.sub(r"\s+", " ", paragraph) for paragraph in re.split(r"\n\s*\n", text))
    parts = (part for paragraph in paragraphs for part in re.split(r"(?<=[.!?])\s+", paragraph))
    return [words for words in (re.findall(r"[^\W_][\w'’-]*", part) for part in parts) if words]


def syllables(word):
    """The syllables of a word: its groups of vowels, without those that are silent.

    A hyphenator counts too few: it leaves no single letter at an end of a line, so that pyphen finds one syllable in
    *any* and two in *images*, and the chapters five points of `reading_ease` easier than they are.

    Parameters
    ----------
    word : str

    Returns
    -------
    int
    """
    silent = r"(?<=[^aeiouy])e$|(?<=[^aeiouytd])ed$|(?<=[^aeiouysxzcgh])es$"
    word = word.lower()
    word = word if re.search(r"[^aeiouylr]le[sd]?$", word) else re.sub(silent, "", word)
    return max(1, len(re.findall(r"[aeiouy]+", re.sub(r"(?<=[^tscgl])i(?=[aou])|e(?=[aou]s?$|at)", "i-", word))))


def reading_ease(text):
    """Flesch's reading ease: 206.835 - 1.015 words a sentence - 84.6 syllables a word (Flesch 1948).

    Parameters
    ----------
    text : str
        As `prose` gives it.

    Returns
    -------
    float
        About 0-100; 60-70 is plain English, 30-50 is difficult.
    """
    found = sentences(text)
    words = [word for sentence in found for word in sentence]
    return 206.835 - 1.015 * len(words) / len(found) - 84.6 * sum(map(syllables, words)) / len(words)


def read(path):
    """The prose of a notebook.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    str
    """
    notebook = nbformat.read(path, as_version=4)
    return prose("\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown"))


def minutes(path):
    """How long a notebook is read: its prose, the code that its page shows, its figures.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    float
    """
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    shown = [cell.source for cell in cells if not {"remove-cell", "remove-input"} & set(cell.metadata.get("tags", []))]
    lines = sum(bool(line.strip()) for source in shown for line in source.splitlines())
    figures = sum("figure" in cell.metadata.get("mystnb", {}) for cell in cells)
    words = sum(map(len, sentences(read(path))))
    return words / WORDS_A_MINUTE + (lines * SECONDS_A_LINE + figures * SECONDS_A_FIGURE) / 60


def main(paths):
    """Print a line a notebook.

    Parameters
    ----------
    paths : list of str
        Default: all chapters.
    """
    for path in paths or sorted((ROOT / "notebooks").glob("*.ipynb")):
        text = read(path)
        words = sum(map(len, sentences(text)))
        print(f"{Path(path).name:30} {words:5} words {minutes(path):4.1f} min, reading ease {reading_ease(text):.0f}")


if __name__ == "__main__":
    main(sys.argv[1:])
