"""Text for terminals of any kind: names are data, encodings differ, and pipes close."""

import os
import re
import sys

_UNSEEN = re.compile("[\0-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")  # all but the line feed


def shown(text):
    r"""A text with what a terminal would obey, or not show, spelt out.

    Parameters
    ----------
    text : str

    Returns
    -------
    str

    Examples
    --------
    >>> shown("cell\x1b[2J.jpg")
    'cell\\x1b[2J.jpg'
    """
    return _UNSEEN.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def name(text):
    """`shown`, on one line: for the name of a file, a class or a set.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
    """
    return shown(text).replace("\n", "\\n")


def prepare():
    """Let no letter that the terminal lacks, and no stream that is closed, end a command."""
    for stream in ("stdout", "stderr"):
        if getattr(sys, stream) is None:
            setattr(sys, stream, open(os.devnull, "w"))
        elif hasattr(getattr(sys, stream), "reconfigure"):
            getattr(sys, stream).reconfigure(errors="backslashreplace")


def warn(message, *place, **options):
    """Show a warning as a line of the command, without the line of code that gave it.

    Parameters
    ----------
    message : Warning or str
    *place, **options
        What else `warnings` tells; not shown.
    """
    print(f"bloodcell: {shown(str(message))}", file=sys.stderr)


def finish():
    """Write out what was printed; where that fails, Python shall not try again at its end."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise
