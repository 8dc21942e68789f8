"""Figures of notebooks that follow the page from light to dark, and take little.

The kernels draw SVG (`book/tools/build.py` tells them so). A browser shows a picture in the colour scheme of the page
around it, so the file itself says how it looks on a dark one: greys change places, colours and photographs stay.
"""

import base64
import io
import re
from pathlib import Path

from PIL import Image

from bloodcell_utils.files import replace_file

INK, GROUND = (0xCE, 0xD6, 0xDD), (0x12, 0x12, 0x12)  # of the theme's dark pages
GREY = r"#([0-9a-f]{2})\1\1\b"
PHOTOGRAPH = re.compile(r'(?<=href=")data:image/png;base64,([^"]+)')
FEW = 256  # colours; a picture with more is a photograph, and may lose what no eye finds


def dark(grey):
    """The colour on a dark page of what is grey on a light one.

    Parameters
    ----------
    grey : int
        Level, 0-255: 0 is ink, 255 is paper.

    Returns
    -------
    str
        Hexadecimal.
    """
    return "#" + "".join(
        f"{round(ink + (ground - ink) * grey / 255):02x}" for ink, ground in zip(INK, GROUND, strict=True)
    )


def themed(svg):
    """A figure of matplotlib's with a style of its own for dark pages.

    Parameters
    ----------
    svg : str

    Returns
    -------
    str
    """
    from bloodcell_utils.plots.style import ON_COLOUR  # here, since it loads what draws: most builds draw nothing

    kept = ON_COLOUR["gid"]
    rules = [f"svg {{ fill: {dark(0)} }} #{kept} {{ fill: #000 }}"]
    for level in sorted(set(re.findall(rf"(?:fill|stroke): {GREY}", svg))):
        for what in ("fill", "stroke"):
            same = f'[style*="{what}: #{level * 3}"]:not(#{kept} *)'
            rules.append(f"{same} {{ {what}: {dark(int(level, 16))} !important }}")
    style = f"<style>@media (prefers-color-scheme: dark) {{ {' '.join(rules)} }}</style>"
    return re.sub(r"(<svg\b[^>]*>)", lambda head: head[1] + style, svg, count=1)


def light(svg):
    """The same figure with the photographs in it compressed as photographs.

    Parameters
    ----------
    svg : str

    Returns
    -------
    str
    """

    def compressed(match):
        picture = Image.open(io.BytesIO(base64.b64decode(match[1])))
        if picture.convert("RGB").getcolors(FEW):
            return match[0]
        stream = io.BytesIO()
        picture.save(stream, "WebP", quality=88, method=4)
        return "data:image/webp;base64," + base64.b64encode(stream.getvalue()).decode()

    return PHOTOGRAPH.sub(compressed, svg)


def finish(app, env):
    """Finish the figures that this build has drawn, before they are copied to the pages."""
    for path in Path(app.outdir).with_name("jupyter_execute").glob("*.svg"):
        svg = path.read_text("utf-8")
        if "prefers-color-scheme" not in svg:
            replace_file(path, themed(light(svg)).encode())


def setup(app):
    app.connect("env-updated", finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
