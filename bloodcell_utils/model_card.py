"""A model card: one page that says what was measured, on what, and what nobody knows yet.

After M. Mitchell et al., "Model cards for model reporting", FAT* 2019. Every number is computed from counts; what no
program can know is left as a question to the author.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from . import metrics
from .capstone import LEAST_IMAGES, Audit
from .errors import BloodcellError
from .store import replace_file

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
    parts = [
        f"**Model card: {found.audit.name}**",
        *_purpose(asked, found, classes),
        *_data(found, classes),
        *_results(found, classes),
        *_limits(found, classes),
        "**Questions for the author.** A card with open questions is not finished.",
        "\n".join(f"- [ ] {question}" for question in [*_unwritten(asked), *_unknown(found), *QUESTIONS]),
    ]
    return "\n\n".join(parts) + "\n"


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
        ``<name of the set>-card.md``; written whole or not at all.

    Raises
    ------
    BloodcellError
        If it cannot be written.
    """
    source = Path(source).resolve()
    path = source.with_name(f"{source.stem if source.is_file() else source.name}-card.md")
    replace_file(path, text.encode())
    return path


def _purpose(asked, found, classes):
    confusion = np.asarray(found.confusions[found.chosen])
    yield f"**Question.** {asked.text or 'Not written down.'} Read by: {asked.user or 'not written down'}."
    if asked.costliest:
        true, called = (classes.index(name) for name in asked.costliest)
        what = (
            f"`{asked.costliest[0]}` called `{asked.costliest[1]}`; {asked.follows or 'consequence not written down'}"
        )
        yield f"**Costliest mistake.** {what}. In the test: {rate(confusion[true, called], confusion[true].sum())}."
    yield (
        f"**Model.** {found.chosen[:1].upper()}{found.chosen[1:]}. The features of CompactNet, where it uses them, are "
        "frozen; they were learnt from the PBC images of one laboratory."
    )


def _data(found, classes):
    audit, table = found.audit, found.table
    out = {
        "unreadable": audit.unreadable,
        "further copies": audit.copies,
        "with contradictory names": audit.conflicting,
    }
    left = ", ".join(f"{len(paths)} {what}" for what, paths in out.items() if paths) or "none"
    yield f"**Data.** {audit.files:,} files, {len(table):,} images used; left out: {left}."
    rows = ["| class | images | groups | to train | to test |", "| :-- | --: | --: | --: | --: |"]
    for name in classes:
        mine = table[table["class"] == name]
        counts = len(mine), mine["group"].nunique(), *((mine["subset"] == part).sum() for part in ("train", "test"))
        rows.append(f"| `{name.replace('|', '/')}` | {' | '.join(f'{count:,}' for count in counts)} |")
    yield "\n".join(rows)
    groups = {part: table.loc[table["subset"] == part, "group"].nunique() for part in ("train", "test")}
    known = table["group"].nunique() < len(table)
    yield (
        f"**Split.** {groups['train']:,} groups (images of one patient) to train, {groups['test']:,} others to test."
        if known
        else "**Split.** By image: nobody knows which images are of one patient, so every rate here is an upper bound."
    )


def _results(found, classes):
    rows = [
        "| | cross-validation, balanced | the same, groups spread | test images right |",
        "| :-- | --: | --: | :-- |",
    ]
    for name, confusion in found.confusions.items():
        kept, loose = (f"{100 * np.mean(scores[name]):.1f} %" for scores in (found.together, found.spread))
        marked = f"**{name}**" if name == found.chosen else name
        rows.append(f"| {marked} | {kept} | {loose} | {rate(np.trace(confusion), np.sum(confusion))} |")
    yield "**Baselines and result.** Chance would give a balanced accuracy of " + f"{100 / len(classes):.1f} %."
    yield "\n".join(rows)
    means = {name: 100 * np.mean(scores) for name, scores in found.together.items()}
    mine = means.pop(found.chosen)
    if means:
        best = max(means, key=means.get)
        ahead = f"{mine - means[best]:+.1f} points"
        yield f"The strongest baseline in cross-validation is: {best}. The model stands {ahead} from it."
    confusion = np.asarray(found.confusions[found.chosen])
    low, high = metrics.bootstrap(confusion, metrics.balanced_accuracy)
    # Without a mistake to draw, the bootstrap draws the same test again and again.
    interval = (
        f"bootstrap interval {100 * low:.1f} to {100 * high:.1f} %"
        if low < high
        else "no mistake to draw an interval from"
    )
    balanced = 100 * metrics.balanced_accuracy(confusion)
    yield f"Balanced accuracy in the test: {balanced:.1f} % ({interval}). Sensitivity:"
    sensitivities = zip(classes, np.diag(confusion), confusion.sum(axis=1), strict=True)
    yield "\n".join(f"- `{name}`: {rate(right, n)}" for name, right, n in sensitivities)


def _limits(found, classes):
    lamps = "; ".join(f"{day}: {rate(np.trace(c), np.sum(c))}" for day, c in found.lamps.items())
    yield f"**In other light.** {lamps or 'Not measured.'}"
    yield (
        "**Must not be used** for diagnosis; for cells that are none of "
        + ", ".join(f"`{name}`" for name in classes)
        + " (it will name them all the same); on images of another instrument, stain or laboratory before a test there."
    )
    yield (
        "The intervals count cells. Cells of one patient are alike: about new patients, less is certain than the "
        "intervals say."
    )


def _unwritten(asked):
    if not asked.text:
        yield "What is the model asked?"
    if not asked.costliest:
        yield "Which mistake costs most, and what follows from it?"
    if not asked.user:
        yield "Who reads the answer, and what do they decide by it?"


def _unknown(found):
    """Questions that the measurements raise."""
    sizes = found.audit.sizes
    # Where every image has a size of its own (cells cut out one by one), sizes say nothing.
    own = sizes.loc[:, ((sizes > 0).sum() == 1) & (sizes.sum() >= LEAST_IMAGES)]
    betrayed = own.index[(own > 0).any(axis=1)]
    if len(betrayed):
        names = ", ".join(f"`{name}`" for name in betrayed)
        yield f"Images of {names} have a size that no other class has: why, and what else came with it?"
    if found.table["group"].nunique() == len(found.table):
        yield "Which images are of one patient?"
    if found.audit.known:
        yield f"{len(found.audit.known):,} images belong to PBC, which the network has learnt from: why are they here?"
