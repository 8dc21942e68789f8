"""Pieces of HTML that show themselves in a notebook and in the published page alike, made from templates.

A room that makes HTML has a folder ``templates``: the templates, and beside them the style sheets and scripts that they
carry along. Names of classes, sets and files come from users: whatever a template is given is escaped.
"""

import base64
import io
import re
from functools import cache, partial
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

_STRUCTURE = re.compile(r"[\\`*_{}\[\]<>#|~&$^@]|:(?=//)|(?<=www)\.", re.IGNORECASE)  # addresses become links, too
_PLAIN_CODE = re.compile(r"[\w.,;:+=%()/ ×-]*[\w.,;:+=%()/×-]")


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


def render(package, template, **values):
    """Fill a template of a room.

    Besides the values a template has `asset`, for the files beside it, and `data_uri`.

    Parameters
    ----------
    package : str
        The room, ``__package__`` of who calls.
    template : str
        For example ``"quiz.html"``.
    **values
        Escaped, unless they have been rendered themselves.

    Returns
    -------
    markupsafe.Markup
        A str that another template takes as it is.
    """
    return Markup(_environment(package).get_template(template).render(**values))


def asset(package, name):
    """A style sheet or a script that lies beside the templates of a room.

    Parameters
    ----------
    package : str
        As for `render`.
    name : str
        For example ``"quiz.css"``.

    Returns
    -------
    markupsafe.Markup
        The file as it is: its braces are its own.
    """
    return Markup(resources.files(package).joinpath("templates", name).read_text("utf-8"))


def webp(image, quality, lossless=False):
    """A picture as a small file.

    Parameters
    ----------
    image : PIL.Image.Image
    quality : int
        Of the compression, 1-100.
    lossless : bool

    Returns
    -------
    bytes
    """
    stream = io.BytesIO()
    image.save(stream, "WebP", quality=quality, method=6, lossless=lossless)
    return stream.getvalue()


def data_uri(file, kind="webp"):
    """A picture as an address that holds all of it.

    Parameters
    ----------
    file : bytes
    kind : str
        Of the picture, as its media type says it.

    Returns
    -------
    str
    """
    return f"data:image/{kind};base64,{base64.b64encode(file).decode()}"


def markdown_text(text):
    """Text in one line of Markdown, without a mark or a tag that a renderer would follow.

    Parameters
    ----------
    text : object
        For example a name that a user gave.

    Returns
    -------
    markupsafe.Markup

    Examples
    --------
    >>> print(markdown_text("my *best* set"))
    my &#42;best&#42; set
    """
    return Markup(_STRUCTURE.sub(lambda mark: f"&#{ord(mark[0])};", " ".join(str(text).split())))


def markdown_code(name):
    """A name as code in Markdown; one that could end the code, or a cell of a table, is escaped in a tag instead.

    Parameters
    ----------
    name : object

    Returns
    -------
    markupsafe.Markup

    Examples
    --------
    >>> print(markdown_code("band"), markdown_code("segment|ed"))
    `band` <code>segment&#124;ed</code>
    """
    name = " ".join(str(name).split())
    return Markup(f"`{name}`" if _PLAIN_CODE.fullmatch(name) else f"<code>{markdown_text(name)}</code>")


@cache
def _environment(package):
    environment = Environment(
        loader=PackageLoader(package),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.globals |= {"asset": partial(asset, package), "data_uri": data_uri}
    environment.policies["json.dumps_kwargs"] = {}  # keys stay in their order
    return environment
