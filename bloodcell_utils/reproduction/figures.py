"""The report's figures: those of the paper that are made of counts, drawn by the functions of the book."""

import io

import matplotlib as mpl

from .. import paper, plots
from ..evaluation import metrics
from ..experiments import ablation, records
from ..models.backbones import BACKBONES
from .comparisons import ARMS, DESIGNS
from .evidence import DATA

ITEM = {"svm": "Fig. 11", "fine_tuned": "Fig. 12"}


def figures(evidence):
    """All figures that there are records for.

    Parameters
    ----------
    evidence : evidence.Evidence

    Yields
    ------
    dict
        ``title``, ``caption``, ``wide`` and ``svg``, the bytes of the picture.
    """
    measured = [best for name in ("svm", "finetune") for n in BACKBONES for best in evidence.records(name, n)[:1]]
    if measured:
        caption = "Every classifier on the test images. Bars: Wilson's 95 % interval. Diamonds: printed in the paper."
        yield _figure(plots.accuracies(records.record_rows(measured)), "Accuracies", caption, wide=True)
    matrices = list(_matrices(evidence))
    for item, name, run in matrices:
        yield _figure(plots.confusion_matrix(run["confusion"]), f"{item}: {name}", run["data"])
    for _, name, run in matrices:
        if "history" in run:
            printed = run["printed_percent"]
            yield _figure(plots.learning_curves(run["history"], printed), f"Fig. 10: {name}", run["data"], wide=True)
    if matrices:
        means = {name: metrics.mean_sd(run["confusion"]) for _, name, run in matrices}
        caption = "Points: mean over the eight classes. Lines: one standard deviation."
        yield _figure(plots.mean_rates(means), "Fig. 13: mean rates", caption, wide=True)
    for network, backbone in BACKBONES.items():
        for record in evidence.records("ablation", network)[:1]:
            tables = {"measured": ablation.measured(record), "printed": ablation.printed(network)}
            title, caption = f"Table 3: {backbone.title}", f"Accuracy in percent. {' '.join(record.notes)}"
            yield _figure(plots.accuracy_grid(tables, paper.TABLE_3_CHOSEN[network]), title, caption, wide=True)
    yield from compared(evidence)


def compared(evidence):
    """Figs. 7, 14, 17 and 18 of the paper, as far as there are records for them.

    Parameters
    ----------
    evidence : evidence.Evidence

    Yields
    ------
    dict
        As from `figures`.
    """
    for _, name, run in _matrices(evidence):
        folds = {
            f"{kernel}, {said}": values
            for part, said in (("cross_validation_training", "learnt from"), ("cross_validation", "held out"))
            for kernel, values in run.get(part, {}).items()
        }
        if folds:
            record = run["record"]
            n = record.split["train"] + record.split["validation"]
            data = DATA.get(record.data["name"], record.data["name"])
            caption = f"{data}, folds of the {n:,} images outside the test, {record.profile} profile"
            yield _figure(plots.fold_accuracies(folds), f"Fig. 7: {name}, fold by fold", caption, wide=True)
    for run in list(evidence.runs("finetune", "vgg16", DESIGNS["fine_tuned"][1].format("vgg16")).values())[:1]:
        rates, above = (known["fine_tuned", "vgg16"] for known in (paper.TRUE_POSITIVE_RATE, paper.RATE_ABOVE))
        printed = {name: rates.get(name) for name in paper.FIG_14}
        fig = plots.printed_rates(run["confusion"], printed, above, unknown=tuple(paper.EARLIER_WORKS))
        caption = f"Fine-tuned VGG-16. Bars: Wilson's 95 % interval. {run['data']}. {' '.join(run['record'].notes)}"
        yield _figure(fig, "Fig. 14: true-positive rates of five classes", caption, wide=True)
    best = {network: evidence.records("balance", network)[:1] for network in BACKBONES}
    arms = {
        BACKBONES[network].title: {name: model for name, model in found[0].models.items() if model["arm"] in ARMS}
        for network, found in best.items()
        if found
    }
    titles, notes = [backbone.title for backbone in BACKBONES.values()], [n for found in best.values() for n in found]
    missing = "".join(f" {title}: not measured yet." for title in titles if title not in arms)
    told = [note for record in notes for note in record.notes if not note.startswith(records.LEFT)]
    remark = " ".join(told) + missing
    if any("history" in model for models in arms.values() for model in models.values()):
        fig = plots.arm_curves({title: arms.get(title) for title in titles})
        caption = f"A thin line a seed, a thick one their mean. {remark}"
        yield _figure(fig, "Fig. 17: validation accuracy, epoch by epoch", caption, wide=True)
    for title, models in arms.items():
        caption = f"A dot a seed, a dash their mean, with Wilson's 95 % interval. {remark}"
        yield _figure(plots.arm_rates(models), f"Fig. 18: true-positive rates, {title}", caption, wide=True)


def _matrices(evidence):
    """The paper's figure, what the classifier is called, and its best run."""
    for design, (experiment, model, title) in DESIGNS.items():
        for network, backbone in BACKBONES.items():
            for name, run in evidence.runs(experiment, network, model.format(network)).items():
                yield ITEM[design], title.format(backbone.title) + name.removeprefix(model.format(network)), run


def _figure(fig, title, caption, wide=False):
    """A figure as a picture inside the page: its names cannot meet those of another figure."""
    drawing = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "bloodcell"}):  # the same figure, the same bytes
        fig.savefig(drawing, format="svg", metadata={"Date": None, "Creator": None})
    return {"title": title, "caption": caption, "wide": wide, "svg": drawing.getvalue()}
