"""An Atom feed of what is new, from the same CHANGELOG.md as the page: an entry a version."""

import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parents[2]
CHANGES = ROOT / "CHANGELOG.md"
PAGE, FILE = "book/changes.html", "feed.xml"
ATOM = "http://www.w3.org/2005/Atom"


def versions(text):
    """Name, date and Markdown of each version; the unreleased one has no date.

    Parameters
    ----------
    text : str
        In the form of Keep a Changelog.

    Yields
    ------
    tuple of (str, str or None, str)
    """
    text = re.sub(r"^\[[^\]]+\]: .*\n?", "", text, flags=re.M)
    parts = re.split(r"^## \[([^\]]+)\](?: - (\S+))?\n", text, flags=re.M)[1:]
    yield from zip(parts[::3], parts[1::3], (part.strip() for part in parts[2::3]), strict=True)


def last_changed(path):
    """When a file was last committed, or last written where there is no history."""
    asked = ["git", "log", "-1", "--format=%cI", "--", str(path)]
    try:
        found = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        found = ""
    return found or datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="seconds")


def feed(text, base, title, updated):
    """The feed as XML.

    Parameters
    ----------
    text : str
        As for `versions`.
    base : str
        Where the book is published, with a slash at its end.
    title : str
    updated : str
        The date of what has not been released, as in RFC 3339.

    Returns
    -------
    bytes
    """
    ET.register_namespace("", ATOM)
    root = ET.Element(f"{{{ATOM}}}feed")

    def put(parent, name, text=None, **attributes):
        element = ET.SubElement(parent, f"{{{ATOM}}}{name}", attributes)
        element.text = text

    put(root, "title", title)
    put(root, "id", base)
    put(root, "updated", updated)
    put(root, "link", href=base + PAGE)
    put(root, "link", rel="self", href=base + FILE)
    put(ET.SubElement(root, f"{{{ATOM}}}author"), "name", "the authors of the course")
    for name, date, body in versions(text):
        entry = ET.SubElement(root, f"{{{ATOM}}}entry")
        put(entry, "title", name if date else "New in the book")
        put(entry, "id", f"{base}{PAGE}#{name.lower()}")
        put(entry, "link", href=base + PAGE)
        put(entry, "updated", f"{date}T00:00:00Z" if date else updated)
        body = re.sub(r"\]\((?!\w+:)([^)\s]+)\.md\)", rf"]({base}\1.html)", body)
        put(entry, "content", MarkdownIt().render(body), type="html")
    ET.indent(root)
    return ET.tostring(root, "utf-8", xml_declaration=True)


def write(app, exception):
    """Write the feed beside the pages."""
    if exception is None and app.builder.format == "html":
        text = feed(CHANGES.read_text("utf-8"), app.config.html_baseurl, app.config.project, last_changed(CHANGES))
        Path(app.outdir, FILE).write_bytes(text)


def setup(app):
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
