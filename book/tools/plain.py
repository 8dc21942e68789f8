"""The Markdown of a chapter without MyST, as JupyterLab, nbgrader and every other reader of notebooks shows it."""

import re
from functools import cache
from pathlib import Path

from printing import home
from pybtex.database import parse_file

from bloodcell_utils.errors import BloodcellError

ROOT = Path(__file__).resolve().parents[2]
FENCED = re.compile(r"^(`{3,}).*?^\1[^\S\n]*$", re.M | re.S)
BOX = re.compile(
    r"^:::\{(?P<kind>\w+)\} *(?P<title>[^\n]*)\n(?P<options>(?::\w+:[^\n]*\n)*)(?P<text>.*?)^:::[^\S\n]*$", re.M | re.S
)
ROLE = re.compile(r"(?<!`)\{(?P<role>[\w:-]+)\}`(?P<text>[^`]+)`")


def plain(text):
    """A Markdown cell in plain Markdown.

    Exercises get a heading, solutions fold, other boxes become quotations; a word of the glossary is that word, and a
    citation is author and year with a link to what is cited. What stands in fences is left alone.

    Parameters
    ----------
    text : str

    Returns
    -------
    str

    Raises
    ------
    BloodcellError
        For a box or a role of which nothing is known here.
    """
    text, start, parts = BOX.sub(_box, text), 0, []
    for fence in FENCED.finditer(text):
        parts += [ROLE.sub(_role, text[start : fence.start()]), fence[0]]
        start = fence.end()
    return "".join([*parts, ROLE.sub(_role, text[start:])])


def _box(found):
    kind, title, text = found["kind"], found["title"], found["text"].strip("\n")
    if kind == "exercise":
        number = re.search(r":label: \w+\.(\d+)", found["options"])[1]
        return f"### Exercise {number}: {title}\n\n{text}"
    if kind == "solution":
        return f"<details>\n<summary>Solution {title.rpartition('.')[2]}</summary>\n\n{text}\n\n</details>"
    if kind not in ("admonition", "margin"):
        raise BloodcellError(f"No plain Markdown is known for the box {kind!r}.")
    lines = [f"**{title}**", "", *text.split("\n")]
    return "\n".join(f"> {line}".rstrip() for line in lines)


def _role(found):
    if found["role"] not in ROLES:
        raise BloodcellError(f"No plain Markdown is known for the role {found['role']!r}.")
    return ROLES[found["role"]](found["text"])


def _words(text):
    """Of a word of the glossary: as it is written here, which may not be as the glossary has it."""
    return re.sub(r"\s*<[^>]+>$", "", text)


def _cited(text, said="{who}, {year}"):
    """Authors and years, each with a link: to the work, or to the course's bibliography where it has no address."""
    return "; ".join(_one(key.strip(), said) for key in text.split(","))


def _one(key, said):
    fields = bibliography()[key].fields
    address = f"https://doi.org/{fields['doi']}" if "doi" in fields else fields.get("url")
    if address is None:
        address = (
            f"https://arxiv.org/abs/{fields['eprint']}" if "eprint" in fields else f"{home()}book/bibliography.html"
        )
    return f"[{said.format(who=authors(key), year=fields['year'])}]({address.replace('(', '%28').replace(')', '%29')})"


@cache
def bibliography():
    """The entries of ``references.bib`` by their keys."""
    return parse_file(str(ROOT / "book" / "references.bib")).entries


def authors(key):
    """The authors of an entry as the book cites them."""
    people = bibliography()[key].persons["author"]
    names = [" ".join(person.prelast_names + person.last_names).strip("{}") for person in people]
    return f"{names[0]} et al." if len(names) > 2 else " and ".join(names)


ROLES = {
    "term": _words,
    "cite:t": lambda keys: _cited(keys, "{who} ({year})"),
    "cite:p": lambda keys: f"({_cited(keys)})",
    "cite:alp": _cited,
    "download": lambda file: f"[{file}]({file})",
}
