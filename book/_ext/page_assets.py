"""Pages load what they use: MathJax where there is a formula, the buttons for code where there is code.

The theme's icons become a style sheet of those that occur, in place of a script that draws them all.
"""

import re
from pathlib import Path

# What the theme's layout loads by name. The index is for a search that answers while one types, which is off.
EVERYWHERE = (
    r'<script[^>]*/scripts/fontawesome\.js[^>]*></script>\s*|<meta name="viewport"[^>]*/>(?=\s*<meta name="docsearch)'
)
SEARCH = r'<script[^>]*[/"](?:searchtools|language_data|searchindex)\.js[^>]*></script>\s*'
# A style sheet or script whose name matches is for pages whose text matches.
FOR = {
    r"copybutton|clipboard": r'class="[^"]*\bhighlight\b',
    r"mathjax/|window\.MathJax": r'class="[^"]*\bmath\b',
    r"togglebutton|toggleHint|toggleOpen": r'class="[^"]*\b(?:toggle|dropdown)\b',
    r"design-tabs": r"sd-tab-set",
    r"sphinx-design": r'class="[^"]*\bsd-',
    r"exercise\.css": r'class="[^"]*\b(?:exercise|solution)\b',
    r"mystnb\.": r'class="[^"]*\bcell',
    r"fold\.js": r'class="[^"]*\bcell_input\b',
}
STYLES = ("fa-solid", "fas", "fa-regular", "far", "fa-brands", "fab")


def choose(app, pagename, templatename, context, doctree):
    """Keep the style sheets and scripts that this page needs, and let no script hold up its text."""
    searching = pagename == "search"
    unneeded = re.compile(EVERYWHERE if searching else f"{EVERYWHERE}|{SEARCH}")
    context["needed_assets"] = lambda head: type(head)(unneeded.sub("", head))
    if searching:
        return
    body = context.get("body", "")

    def needed(asset):
        name = f"{asset.filename or ''} {getattr(asset, 'attributes', {}).get('body', '')}"
        return all(re.search(mark, body) for pattern, mark in FOR.items() if re.search(pattern, name))

    for kind in ("css_files", "script_files"):
        context[kind] = [asset for asset in context[kind] if needed(asset)]
    context["script_files"] = [deferred(script) for script in context["script_files"]]


def deferred(script):
    """The script, told to wait for the page; the options that others read, and lines of a page's own, do not wait."""
    if not script.filename or "documentation_options" in str(script.filename):
        return script
    return type(script)(script.filename, priority=script.priority, **{"defer": "defer", **script.attributes})


def find_icons(page):
    """Style and name of each icon of a page."""
    for classes in re.findall(r'class="([^"]*\bfa-[^"]*)"', page):
        style = next((name for name in classes.split() if name in STYLES), None)
        yield from ((style, name) for name in re.findall(r"\bfa-([a-z0-9-]+)", classes) if style)


def draw_icons(script, wanted):
    """The wanted icons as rules of a style sheet; what is no icon (``fa-lg``) has no drawing.

    Parameters
    ----------
    script : str
        Font Awesome's, which holds brands first, solid icons last.
    wanted : set of tuple of str
        Style and name.

    Yields
    ------
    str
    """
    for style, name in sorted(wanted):
        drawn = re.findall(rf'[,{{]"?{name}"?:\[(\d+),(\d+),\[[^\]]*\],"\w+","([^"]+)"\]', script)
        if drawn:
            width, height, path = drawn[-1 if style in ("fa-solid", "fas") else 0]
            svg = f"%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}'%3E%3Cpath d='{path}'/%3E"
            yield f'.{style}.fa-{name} {{ --icon: url("data:image/svg+xml,{svg}%3C/svg%3E"); }}\n'


def write_icons(app, exception):
    """Write the icons that the pages show."""
    if exception is not None or app.builder.format != "html":
        return
    static = Path(app.outdir) / "_static"
    pages = [path for path in Path(app.outdir).rglob("*.html") if "_static" not in path.parts]
    wanted = {icon for page in pages for icon in find_icons(page.read_text("utf-8"))}
    script = (static / "scripts" / "fontawesome.js").read_text("utf-8")
    (static / "icons.css").write_text("".join(draw_icons(script, wanted)), "utf-8")


def setup(app):
    app.add_css_file("icons.css")
    app.connect("html-page-context", choose, priority=900)
    app.connect("build-finished", write_icons)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
