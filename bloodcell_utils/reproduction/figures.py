"""The report's figures: those of the paper that are made of counts, drawn by the functions of the book."""

import io

import matplotlib as mpl

from .. import paper, plots
from ..evaluation import metrics
from ..experiments import ablation, records
from ..models.backbones import BACKBONES
from .items import DESIGNS

ITEM = {"svm": "Fig. 11", "fine_tuned": "Fig. 12"}
BALANCE = {"vgg16": "Fig. 17", "inception_v3": "Fig. 18"}


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
        for record in evidence.records("balance", network)[:1]:
            title, caption = f"{BALANCE[network]}: {backbone.title}", f"A dot a seed. {' '.join(record.notes)}"
            yield _figure(plots.arm_scores(record.models), f"{title}, accuracy", caption, wide=True)
            yield _figure(plots.arm_rates(record.models), f"{title}, true-positive rates", caption, wide=True)


def _matrices(evidence):
    """The paper's figure, what the classifier is called, and its best run."""
    for design, (experiment, model, title) in DESIGNS.items():
        for network, backbone in BACKBONES.items():
            for run in evidence.runs(experiment, network, model.format(network)).values():
                yield ITEM[design], title.format(backbone.title), run


def _figure(fig, title, caption, wide=False):
    """A figure as a picture inside the page: its names cannot meet those of another figure."""
    drawing = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "bloodcell"}):  # the same figure, the same bytes
        fig.savefig(drawing, format="svg", metadata={"Date": None, "Creator": None})
    return {"title": title, "caption": caption, "wide": wide, "svg": drawing.getvalue()}
