"""A model card: one page that says what was measured, on what, and what nobody knows yet.

After M. Mitchell et al., "Model cards for model reporting", FAT* 2019. Every number is computed from counts; what no
program can know is left as a question to the author.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ..errors import BloodcellError
from ..evaluation import metrics
from ..files import read_file, replace_file, set_aside
from ..interactive.page import markdown_code, markdown_text, render
from .capstone import LEAST_IMAGES, Audit

QUESTIONS = (
    "Who named the cells, how many observers were there, and how often did they disagree?",
    "Which microscope or analyser, which stain, which laboratory, in which months?",
    "Who are the patients: ages, diagnoses, who was left out? Who consented, or which ethics committee agreed?",
    "How common is each class where the model would be used? (Precision depends on it.)",
    "Who watches the model when it is in use, and what makes them switch it off?",
)


@dataclass(frozen=True)
class Question:
    """What the model is for, written down before anything is measured; what is None is asked for by the card.

    Attributes
    ----------
    text : str or None
        What the model is asked of each image.
    costliest : tuple of (str, str) or None
        The mistake that must not happen: the true class folder, and what it is called.
    follows : str or None
        What follows from that mistake.
    user : str or None
        Who reads the answer, and what they decide by it.
    """

    text: str | None = None
    costliest: tuple[str, str] | None = None
    follows: str | None = None
    user: str | None = None


@dataclass(frozen=True)
class Findings:
    """All that was measured of one set.

    Attributes
    ----------
    audit : capstone.Audit
    table : pandas.DataFrame
        With the columns ``class``, ``group`` and ``subset`` (`capstone.split`).
    together, spread : dict of str to list of float
        Balanced accuracy on each fold for every model, baselines first: with groups kept together, and spread over the
        folds.
    confusions : dict of str to array-like of int, shape (k, k)
        On the test images, for the same models; classes in the order of their names.
    chosen : str
        The model that the card is about.
    lamps : dict of str to array-like of int, shape (k, k)
        Confusion of the chosen model on the test images in other light.
    """

    audit: Audit
    table: pd.DataFrame
    together: dict
    spread: dict
    confusions: dict
    chosen: str
    lamps: dict


def rate(right, n):
    """A rate as a card writes it: with its counts and Wilson's interval.

    Parameters
    ----------
    right, n : int

    Returns
    -------
    str

    Examples
    --------
    >>> rate(29, 30)
    '29 of 30, 96.7 % (95 % interval 83.3 to 99.4 %)'
    """
    if not n:
        return "none of them in the test"
    low, high = 100 * metrics.wilson(int(right), int(n))
    return f"{right:,} of {n:,}, {100 * right / n:.1f} % (95 % interval {low:.1f} to {high:.1f} %)"


def card(asked, found):
    """Write the card.

    Parameters
    ----------
    asked : Question
    found : Findings

    Returns
    -------
    str
        Markdown, without headings, so that it can stand on any page.

    Raises
    ------
    BloodcellError
        If the costliest mistake names a class that the set does not have.
    """
    classes = sorted(set(found.table["class"]))
    if asked.costliest and not set(asked.costliest) <= set(classes):
        raise BloodcellError(f"The costliest mistake is {asked.costliest}, but the classes are {', '.join(classes)}.")
    means = {name: 100 * np.mean(scores) for name, scores in found.together.items()}
    others = {name: mean for name, mean in means.items() if name != found.chosen}
    confusion = np.asarray(found.confusions[found.chosen])
    sizes = found.audit.sizes
    # Where every image has a size of its own (cells cut out one by one), sizes say nothing.
    own = sizes.loc[:, ((sizes > 0).sum() == 1) & (sizes.sum() >= LEAST_IMAGES)]
    card = render(
        __package__,
        "model_card.md",
        text=markdown_text,
        code=markdown_code,
        rate=rate,
        asked=asked,
        found=found,
        audit=found.audit,
        classes=classes,
        counted=[(name, found.table[found.table["class"] == name]) for name in classes],
        patients_known=found.table["group"].nunique() < len(found.table),
        means=means,
        spread={name: 100 * np.mean(scores) for name, scores in found.spread.items()},
        best=max(others, key=others.get, default=None),
        confusion=confusion,
        balanced=metrics.balanced_accuracy(confusion),
        interval=metrics.bootstrap(confusion, metrics.balanced_accuracy),
        rightly=lambda counts: rate(np.trace(counts), np.sum(counts)),
        betrayed=own.index[(own > 0).any(axis=1)].tolist(),
        questions=QUESTIONS,
    )
    return str(card)


def save(source, text):
    """Put a card beside its set.

    Parameters
    ----------
    source : path-like
        The folder or zip that holds the images.
    text : str

    Returns
    -------
    pathlib.Path
        ``<name of the set>-card.md``; written whole or not at all. Another card that was there is set aside.

    Raises
    ------
    BloodcellError
        If it cannot be written.
    """
    source = Path(source).resolve()
    path = source.with_name(f"{source.stem if source.is_file() else source.name}-card.md")
    if path.exists() and read_file(path) != text.encode():
        set_aside(path)  # somebody may have answered its questions
    replace_file(path, text.encode())
    return path
