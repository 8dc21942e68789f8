"""The model card of the two shipped networks, from their records, and a checklist of what a report has to say.

What has not been measured yet is a row that says so. What no record can know is left to the reader (`missing`).
"""

import numpy as np

from ..experiments import records, shift
from ..interactive.page import markdown_text, render
from .model_card import rate

PROFILE = "laptop"
WORDS = 5  # of an answer
WAITS = "not measured yet: `bloodcell run {} --profile " + PROFILE + "`"
LATER = {
    "shift": "In other laboratories",
    "adapt": "After the one that travelled was adapted to them",
    "calibration": "How far the confidence of the one that travelled holds",
}
STRANGERS = (
    "corners of PBC images",
    "empty windows of BCCD fields",
    "single red cells of BCCD",
    "red and blue exchanged",
    "CellaVision blog",
    "Jiangxi",
    "far too small",
    "screenshots",
)
TOGETHER = ("threshold", "refused", "rates")  # items that are asked of both networks
# What is asked, by which items of TRIPOD+AI (T) and of STARD 2015, on which STARD-AI builds (S; "AI": it came with it).
ITEMS = {
    "use": ("What is it for? Who reads the answer, and decides what by it?", "T 3, S 3"),
    "patients": ("Whose blood: how many people, how old, how ill, who was left out?", "T 6 and 20, S 6 and 20"),
    "place": ("Where, with which instrument and which stain?", "T 5, S 8"),
    "images": ("How many pictures, and which?", "T 10, S 18"),
    "apart": ("What keeps training and test apart?", "T 12, AI"),
    "readers": ("Who named the cells? How many readers, how often did they disagree?", "T 8, S 10 and 11"),
    "blind": ("What did the readers know when they named a cell?", "T 8, S 13"),
    "network": ("Which network, trained how, which version?", "T 12 and 22, AI"),
    "threshold": ("From which confidence on is a name given, and who chose it, on what?", "T 15, S 12"),
    "refused": ("What becomes of cells that get no name?", "S 15"),
    "rates": ("How often is it right, with which interval? In which kind least?", "T 23, S 23 and 24"),
    "elsewhere": ("How often in another laboratory?", "T 16, AI"),
    "strangers": ("What does it say of what it does not know?", "this course"),
    "groups": ("Is it as good for women and men, children and the old, the ill?", "T 14, AI"),
    "people": ("Are people who work with it better, faster, or only more trusting?", "AI; beyond T 27"),
    "harm": ("What happens to a patient when it is wrong, and who would notice?", "S 25"),
    "update": ("When is it trained again, and who tests the new one?", "beyond T 24"),
    "protocol": ("Was the plan written, or registered, before the test was opened?", "T 18, S 28 and 29"),
    "ethics": ("Who consented, or which committee agreed?", "T 17"),
    "code": ("Where are the pictures and the program?", "T 18"),
}


def card(folder=None):
    """Write the card.

    Parameters
    ----------
    folder : path-like, optional
        Of the records; default: `config.results_dir`.

    Returns
    -------
    str
        Markdown, without headings, so that it can stand on any page.
    """
    best, later = _measured(folder)
    away, known = later["travelled"], _answers(best, later)
    text = render(
        __package__,
        "network_card.md",
        text=markdown_text,
        rate=rate,
        best=best,
        home=next(iter(best.models.values())),
        away=away,
        alone=away.models[f"alone, seed {away.seed}"] if away else None,
        both=_both(away),
        waits=WAITS.format("travelled"),
        later={title: (later[name], dict(_abroad(later[name]))) for name, title in LATER.items()},
        strangers=_strangers(later["strangers"]),
        known=known,
        questions=[question for key, (question, _) in ITEMS.items() if key not in known],
    )
    return str(text)


def checklist(mine=None, folder=None):
    """What a report would have to say: answered by the records, by the reader, or not yet.

    Parameters
    ----------
    mine : dict of str to str, optional
        The reader's answers, by the keys of `ITEMS`.
    folder : path-like, optional
        As for `card`.

    Returns
    -------
    str
        A table in Markdown.
    """
    mine, known = mine or {}, _answers(*_measured(folder))
    rows = ["| | A reader will ask | Asked by | Answer |", "| :-- | :-- | :-- | :-- |"]
    for key, (question, asked) in ITEMS.items():
        said = known.get(key) or (markdown_text(mine[key]) if _said(mine.get(key)) else "**yours to write**")
        rows.append(f"| `{key}` | {question} | {asked} | {said} |")
    return "\n".join(rows)


def missing(mine, folder=None):
    """What neither a record nor the reader has answered.

    Parameters
    ----------
    mine : dict of str to str
        Answers by the keys of `ITEMS`; one of less than five words is none.
    folder : path-like, optional
        As for `card`.

    Returns
    -------
    dict of str to str
        The questions, by key.
    """
    known = _answers(*_measured(folder))
    return {key: asked for key, (asked, _) in ITEMS.items() if key not in known and not _said(mine.get(key))}


def _said(answer):
    return isinstance(answer, str) and len(answer.split()) >= WORDS


def _measured(folder):
    """The record of the network that stayed at home, and the others by name; None for those that are not there."""
    later = {name: records.find_record(name, PROFILE, folder=folder) for name in (*LATER, "strangers", "travelled")}
    return records.load_record("compact_best", PROFILE, folder), later


def _both(away):
    """What was measured of both networks together, as they are shipped."""
    return away.models[f"with the one from home, seed {away.seed}"] if away else None


def _strangers(record):
    """Counts of each group, None where nothing was measured."""
    groups = record.models["shipped network"]["groups"] if record else {}
    return dict.fromkeys(STRANGERS) | groups


def _answers(best, later):
    """What records and the article on the data answer, by item."""
    home, away, both = next(iter(best.models.values())), later["travelled"], _both(later["travelled"])
    sizes = {name: best.split[name] for name in ("train", "validation", "test")}
    cells = {name: kind["n"] for name, kind in zip(best.classes, home["per_class"], strict=True)}
    rarest = min(cells, key=cells.get)
    shown = {name: counts for name, counts in _strangers(later["strangers"]).items() if counts}
    counted = [sum(counts[what] for counts in shown.values()) for what in ("n", "named", "wrong")]
    sets = dict(_abroad(later["shift"], shift.BOTH))
    elsewhere = "; ".join(f"{name}: {rate(counts['right'], counts['n'])}" for name, counts in sets.items())
    versions = f"at home: {home['settings']['epochs']} epochs, seed {best.seed}, measured {best.created[:10]}"
    if away:
        epochs = both["settings"]["epochs"]
        versions += f"; travelled: {epochs} epochs, seed {away.seed}, measured {away.created[:10]}"
    return {
        "place": "One hospital, Barcelona; one analyser, May Grünwald-Giemsa stain",
        "images": f"{best.data['n_images']:,} images of PBC, checksum {best.data['fingerprint']}; in the test the "
        f"rarest kind, `{rarest}`, {cells[rarest]} times; no size was planned",
        "apart": ", ".join(f"{count:,} {name}" for name, count in sizes.items()) + "; by image, not by person",
        "network": f"CompactNet, two networks; {versions}",
        **(_together(best.classes, both) if both else dict.fromkeys(TOGETHER, WAITS.format("travelled"))),
        "elsewhere": markdown_text(elsewhere) or WAITS.format("shift"),
        "strangers": "Of {:,} pictures {:,} were named, {:,} wrongly".format(*counted)
        if shown
        else WAITS.format("strangers"),
        "code": "Open: the data set under CC BY 4.0, the program under BSD 3-Clause",
    }


def _together(classes, both):
    """What `TOGETHER` asks, of both networks."""
    n, named, confusion = both["n_test"], both["named"], np.array(both["confusion"])
    right, cells = np.diag(confusion), confusion.sum(axis=1)
    worst = (right / cells).argmin()
    answers = (
        f"{both['threshold']:.3f}, chosen on the validation images",
        f"No name for {rate(n - named, n)}; of those named wrong: {rate(named - both['named_right'], named)}",
        f"{rate(right.sum(), n)}; least for `{classes[worst]}`: {rate(right[worst], cells[worst])}",
    )
    return dict(zip(TOGETHER, answers, strict=True))


def _abroad(record, wanted=None):
    """Each set of `shift`, or each way and set of `adapt`, with its counts; all ways, or the one that is wanted."""
    for way, model in record.models.items() if record else ():
        for name, counts in model.get("groups", {}).items():
            if wanted in (None, way):
                yield (name if wanted or len(record.models) == 1 else f"{way}, {name}"), counts
