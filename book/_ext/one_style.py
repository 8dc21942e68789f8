"""One style sheet for all pages, with those rules of theme and extensions that their elements can use.

A rule stays if every class and every id that it names is written in some page or some script. What only one page needs
(added with the priority `OWN`) stays a sheet of its own.
"""

import hashlib
import logging
import posixpath
import re
from graphlib import TopologicalSorter
from pathlib import Path

import tinycss2
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

from bloodcell_utils.files import replace_file

FILE, OWN = "book.css", 900
LINK = re.compile(r'<link\b[^>]*?href="[^"]*?_static/([^"?]+\.css)[^"]*"[^>]*>\s*')
CALL = re.compile(r":[\w-]+\([^()]*\)")  # a selector's functions and attributes may name what is not there
ATTRIBUTE = re.compile(r"\[[^\]]*\]")
NAME = re.compile(r"[.#]((?:\\.|[\w-])+)")
RELATIVE = re.compile(r"(url\(\s*[\"']?)(?!data:|\w+:|#|/)([^\"')]+)")
GROUPS = ("media", "supports", "layer", "container")


def join(app, pagename, templatename, context, doctree):
    """In the head of a page, one link in place of those to all common sheets; it remembers which they were."""
    own = {posixpath.basename(str(asset.filename)) for asset in context["css_files"] if asset.priority >= OWN}
    needed_assets, pathto = context["needed_assets"], context["pathto"]

    def joined(head):
        head, common = needed_assets(head), []

        def take(link):
            if link[1] in own or 'rel="stylesheet"' not in link[0]:
                return link[0]
            common.append(link[1])
            return ""

        rest = LINK.sub(take, head)
        sheet = f'<link rel="stylesheet" href="{pathto(f"_static/{FILE}", 1)}" data-sheets="{" ".join(common)}">\n'
        return type(head)(sheet * bool(common) + rest)

    context["needed_assets"] = joined


def in_order(lists):
    """All names of some lists, each name behind those that stand before it in any list.

    Parameters
    ----------
    lists : iterable of sequence of str

    Returns
    -------
    list of str
    """
    before = {}
    for names in lists:
        for i, name in enumerate(names):
            before.setdefault(name, set()).update(names[max(i - 1, 0) : i])
    return list(TopologicalSorter(before).static_order())


def needed(css, words, folder=Path(), name=""):
    """The rules of a style sheet that can apply, with what it imports in place.

    Parameters
    ----------
    css : str
    words : set of str
        Everything that may be a class or an id.
    folder : pathlib.Path
        Where `name`, and what it imports, is.
    name : str
        Path of the sheet inside the folder; addresses in it are written anew, as seen from the folder.

    Returns
    -------
    str
    """
    rules = tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True)
    place = posixpath.dirname(name)
    text = "\n".join(_kept(rules, words, folder, place))
    return RELATIVE.sub(lambda url: url[1] + posixpath.normpath(posixpath.join(place, url[2])), text)


def _kept(rules, words, folder, place):
    for rule in rules:
        if rule.type == "qualified-rule":
            selectors = [selector for selector in _selectors(rule.prelude) if _possible(selector, words)]
            if selectors:
                yield f"{','.join(selectors)}{{{tinycss2.serialize(rule.content).strip()}}}"
        elif rule.type == "at-rule" and rule.at_keyword == "import":
            (target,) = (token.value for token in rule.prelude if token.type in ("string", "url"))
            path = posixpath.normpath(posixpath.join(place, target))
            yield needed((folder / path).read_text("utf-8"), words, folder, path)
        elif rule.type == "at-rule" and rule.at_keyword in GROUPS and rule.content is not None:
            inner = tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True)
            if inside := "".join(_kept(inner, words, folder, place)):
                yield f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude)}{{{inside}}}"
        elif rule.type == "at-rule":
            yield rule.serialize()


def with_small_fonts(css, static):
    """A style sheet whose icon fonts hold the icons that it names; fonts without any are left out.

    Parameters
    ----------
    css : str
    static : pathlib.Path
        The folder that its addresses start from; the fonts are written there.

    Returns
    -------
    str
    """
    escaped = {int(code, 16) for code in re.findall(r"\\([0-9a-f]{4})\b", css)}
    icons = {code for code in escaped | set(map(ord, css)) if 0xE000 <= code <= 0xF8FF}

    def shrink(face):
        source = static / re.search(r"url\([\"']?([^\"')]+)", face[0])[1]
        font = TTFont(source.with_suffix(".ttf"))
        held = icons & set(font.getBestCmap())
        if not held:
            return ""
        subsetter = Subsetter(Options(layout_features=[], notdef_outline=True))
        subsetter.populate(unicodes=held)
        subsetter.subset(font)
        font.flavor = "woff"
        font.save(static / f"{source.stem}.woff")
        return re.sub(r"src:[^;}]*", f'src:url({source.stem}.woff) format("woff")', face[0])

    return re.sub(r"@font-face\s*{[^}]*}", shrink, css)


def _selectors(prelude):
    selector = []
    for token in prelude:
        if token.type == "literal" and token.value == ",":
            yield tinycss2.serialize(selector).strip()
            selector = []
        else:
            selector.append(token)
    yield tinycss2.serialize(selector).strip()


def _possible(selector, words):
    while CALL.search(selector):
        selector = CALL.sub("", selector)
    return all(name.replace("\\", "") in words for name in NAME.findall(ATTRIBUTE.sub("", selector)))


def key(static, names, words):
    """A comment that stays the same while the sheet does: it is of what the sheet is made from.

    Parameters
    ----------
    static : pathlib.Path
    names : sequence of str
        The sheets, in order.
    words : set of str
        Everything that may be a class or an id.

    Returns
    -------
    str
    """
    read = [path.read_bytes() for path in sorted(static.rglob("*.css")) if path.name != FILE]
    styled = set(NAME.findall(b"".join(read).decode().replace("\\", "")))
    made = hashlib.sha256(Path(__file__).read_bytes())
    for part in [*read, *(name.encode() for name in [*names, *sorted(styled & words)])]:
        made.update(hashlib.sha256(part).digest())
    return f"/* {made.hexdigest()[:16]} */\n"


def write(app, exception):
    """Write the sheet, if it would be another."""
    if exception is not None or app.builder.format != "html":
        return
    out = Path(app.outdir)
    static = out / "_static"
    pages = [path.read_text("utf-8") for path in out.rglob("*.html") if "_static" not in path.parts]
    scripts = [path.read_text("utf-8") for path in static.rglob("*.js") if "mathjax" not in path.parts]
    words = {word for text in pages + scripts for word in re.findall(r"[\w-]+", text)}
    sheets = {found[1] for page in pages if (found := re.search(r'data-sheets="([^"]*)"', page))}
    names = in_order(map(str.split, sheets))
    made, path = key(static, names, words), static / FILE
    if path.is_file() and path.read_text("utf-8").startswith(made):
        return
    text = "\n".join(needed((static / name).read_text("utf-8"), words, static, name) for name in names)
    replace_file(path, (made + with_small_fonts(text, static)).encode())


def setup(app):
    logging.getLogger("fontTools").setLevel(logging.WARNING)
    app.connect("html-page-context", join, priority=960)
    app.connect("build-finished", write, priority=900)  # behind those who write sheets
    return {"parallel_read_safe": True, "parallel_write_safe": True}
