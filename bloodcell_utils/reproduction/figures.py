"""The report's figures: those of the paper that are made of counts, drawn by the functions of the book."""

import base64
import io
from html import escape

import matplotlib as mpl

from .. import metrics, paper, plots, records
from ..backbones import BACKBONES
from .evidence import mean_rate, right
from .items import DESIGNS

ITEM = {"svm": "Fig. 11", "fine_tuned": "Fig. 12"}


def figures(evidence):
    """HTML of all figures that there are records for.

    Parameters
    ----------
    evidence : evidence.Evidence

    Yields
    ------
    str
    """
    if not evidence.ranked:
        return
    yield "<h2>The figures</h2>"
    yield '<div class="figures">'
    measured = [best for name in ("svm", "finetune") for n in BACKBONES for best in evidence.records(name, n)[:1]]
    if measured:
        caption = "Every classifier on the test images. Bars: Wilson's 95 % interval. Diamonds: printed in the paper."
        yield _figure(plots.accuracies(records.rows(measured)), "Accuracies", caption, wide=True)
    means = {}
    for design, (experiment, model, title) in DESIGNS.items():
        for network, backbone in BACKBONES.items():
            for run in evidence.runs(experiment, network, model.format(network)).values():
                name = title.format(backbone.title)
                means[name] = metrics.mean_sd(run["confusion"])
                yield _figure(plots.confusion_matrix(run["confusion"]), f"{ITEM[design]}: {name}", run["data"])
    if means:
        caption = "Bars: mean over the eight classes. Lines: one standard deviation."
        yield _figure(plots.mean_rates(means), "Fig. 13: mean rates", caption, wide=True)
    yield "</div>"
    for network in paper.TABLE_3:
        yield from _table_3(evidence, network)


def _figure(fig, title, caption, wide=False):
    """A figure as a picture inside the page: its names cannot meet those of another figure."""
    drawing = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "bloodcell"}):  # the same figure, the same bytes
        fig.savefig(drawing, format="svg", metadata={"Date": None, "Creator": None})
    data = base64.b64encode(drawing.getvalue()).decode()
    return (
        f"<figure{' class=wide' if wide else ''}><h3>{escape(title)}</h3>"
        f'<img alt="{escape(title)}" src="data:image/svg+xml;base64,{data}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def _table_3(evidence, network):
    """Table 3 in its own shape, with the rows and columns that were measured beyond it."""
    runs = evidence.runs("ablation", network).values()
    if not runs:
        return
    printed = paper.TABLE_3[network]
    sizes = sorted({*printed, *(run["images_per_class"] for run in runs)})
    blocks = sorted({*next(iter(printed.values())), *(run["blocks"] for run in runs)})
    yield f"<h3>Table 3: {escape(BACKBONES[network].title)}</h3>"
    yield '<div class="scroll"><table class="grid"><thead><tr><th scope="col">images a class</th>'
    yield "".join(f'<th scope="col">blocks trained: {n}</th>' for n in blocks) + "</tr></thead><tbody>"
    for size in sizes:
        yield f'<tr><th scope="row">{size:,}</th>'
        for n in blocks:
            said = printed.get(size, {}).get(n)
            cell = f'<span class="small">{"not in the paper" if said is None else f"printed {said:g} %"}</span>'
            found = evidence.runs("ablation", network, images_per_class=size, blocks=n)
            if found:
                share, total = mean_rate(found, right)
                low, high = 100 * metrics.wilson(share * total, total)
                cell += f"<b>{100 * share:.1f} % [{low:.1f}, {high:.1f}]</b>"
            yield f"<td>{cell}</td>"
        yield "</tr>"
    yield "</tbody></table></div>"
