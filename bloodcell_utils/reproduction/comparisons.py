"""What speaks for those items of the paper that have numbers: their lines, from the printed and the recorded ones.

Each function of `NUMBERS` takes the evidence and yields the lines of one item.
"""

from dataclasses import replace

import numpy as np

from .. import paper
from ..cells import FOLDERS, by_folder
from ..datasets import pbc
from ..evaluation import metrics
from ..models.backbones import BACKBONES
from .evidence import gain, how_to_measure, mean_rate
from .verdicts import KINDS, Line, fact_line, interval_line, percent, rate_line

NETWORKS = tuple(BACKBONES)
DESIGNS = {
    "svm": ("svm", "{} last block", "{}'s last block and SVM"),
    "fine_tuned": ("finetune", "{} fine-tuned", "{} fine-tuned"),
}
LEVEL = 0.05  # of the test between two kernels
MADE, KERAS, CELLS = KINDS["made"], "the networks of Keras", "drawn cells (laptop profile: PBC)"
DOUBT = "in the text the bracket may belong to the platelets alone"
ARMS = ("unbalanced, as it is", "balanced by augmentation")  # of the experiment; the other two are the course's own


def _table_1(evidence):
    """Images of each class: a fact."""
    folders = pbc.manifest()["path"].str.split("/").str[0]
    found = {folder: int((folders == folder).sum()) for folder in FOLDERS}

    def total(counts):
        return f"{sum(counts.values()):,} images in {len(counts)} classes"

    yield fact_line("images of each class", paper.TABLE_1, found, data="the list of the official release", shown=total)


def _table_2(evidence):
    """What goes in and what comes out of the two networks: facts."""
    for network in NETWORKS:
        known, printed = BACKBONES[network], paper.TABLE_2[network]

        def shape(fact):
            return f"{fact[0]} px, {fact[1]:,} features"

        facts = (printed["input"][0], printed["features"]), (known.input_size, known.n_features)
        yield fact_line(f"{known.title}: input and features", *facts, data=KERAS, shown=shape)
        if "parameters" in printed:
            count = printed["parameters"]
            what = f"{known.title}: parameters (printed in the {count.place})"
            yield fact_line(what, int(count.value), count.other, data="the network itself", shown="{:,}".format)


def _table_3(evidence):
    """Each setting that was measured; the others are counted."""
    for network in NETWORKS:
        title, missing = BACKBONES[network].title, 0
        for images, row in paper.TABLE_3[network].items():
            for blocks, printed in row.items():
                runs = evidence.runs("ablation", network, images_per_class=images, blocks=blocks)
                if runs:
                    what = f"{title}, {images:,} images a class, {blocks} block{'s' * (blocks > 1)}"
                    yield _averaged(what, printed, runs, evidence)
                missing += not runs
        if missing:
            what = f"{title}: {missing} of {sum(map(len, paper.TABLE_3[network].values()))} settings"
            partly = bool(evidence.runs("ablation", network))
            yield _missing(what, "ablation", network, evidence, count=missing, partly=partly)


def _matrices(design):
    """The comparisons of a design's confusion matrices: accuracy, and the rates that the text gives (Figs. 11, 12)."""
    experiment, model, title = DESIGNS[design]

    def speak(evidence):
        for network in NETWORKS:
            runs = evidence.runs(experiment, network, model.format(network))
            what = title.format(BACKBONES[network].title)
            printed, rates = paper.ACCURACY[design, network], paper.TRUE_POSITIVE_RATE.get((design, network), {})
            if not runs:
                yield _missing(f"{what}: accuracy", experiment, network, evidence, printed)
                if rates:
                    what_rates = f"{what}: true-positive rates of {len(rates)} classes"
                    yield _missing(what_rates, experiment, network, evidence, count=len(rates))
                continue
            yield _averaged(f"{what}: accuracy", printed, runs, evidence)
            for folder, rate in rates.items():
                i, doubtful = FOLDERS.index(folder), folder in paper.BRACKET.get((design, network), ())
                printed = paper.Printed(rate, "text", note=DOUBT if doubtful else "")
                what_rate = f"{what}: true-positive rate, {by_folder(folder).name}"
                yield _averaged(what_rate, printed, runs, evidence, i, i)

    return speak


def _figure_7(evidence):
    """The mean of the folds, and whether they support the choice of the kernel."""
    experiment, model, title = DESIGNS["svm"]
    for network in NETWORKS:
        what, printed = title.format(BACKBONES[network].title), paper.CROSS_VALIDATION[network]
        folds = f"{what}: mean of {paper.HYPERPARAMETERS['cross_validation_folds']} folds, cubic kernel"
        found = evidence.runs(experiment, network, model.format(network)).values()
        runs = [run for run in found if "cross_validation" in run]
        if not runs:
            yield _missing(folds, experiment, network, evidence, printed)
        for run in runs:
            scores, split = run["cross_validation"], run["record"].split
            n = split["train"] + split["validation"]
            how = _how(run, evidence) | {"data": f"{n:,} training images"}
            line = rate_line(folds, printed.value, np.mean(scores["cubic"]), n=n, **how)
            yield replace(line, note=run["note"])
            ahead = int(np.sum(np.greater(scores["cubic"], scores["rbf"])))
            rbf, cubic = (100 * np.mean(scores[kernel]) for kernel in ("rbf", "cubic"))
            shown = f"RBF {rbf:.1f}, cubic {cubic:.1f} %; cubic ahead in {ahead} of {len(scores['cubic'])} folds"
            yield Line(f"{what}: the kernel", "made", _choice(scores), "cubic chosen", shown, line.data, run["note"])


def _choice(scores):
    """Whether the folds tell the kernels apart: a rough test, because the folds share most of their training images."""
    from scipy.stats import ttest_1samp

    difference = np.subtract(scores["cubic"], scores["rbf"])
    if not ttest_1samp(difference, 0).pvalue < LEVEL:
        return "our folds do not support a choice"
    return f"our folds prefer the {'cubic' if difference.mean() > 0 else 'RBF'} kernel"


def _figure_10(evidence):
    """The curves of each network, and its highest validation accuracy."""
    experiment, model, title = DESIGNS["fine_tuned"]
    for network in NETWORKS:
        what, printed = title.format(BACKBONES[network].title), paper.BEST_VALIDATION[network]
        runs = evidence.runs(experiment, network, model.format(network))
        curves = {name: run for name, run in runs.items() if run.get("history")}
        if not curves:
            yield _missing(f"{what}: curves, highest validation accuracy", experiment, network, evidence, printed)
        for name, run in curves.items():
            what = title.format(BACKBONES[network].title) + name.removeprefix(model.format(network))
            known = f"best of {paper.HYPERPARAMETERS['epochs']} epochs: {paper.HYPERPARAMETERS['best_epoch'][network]}"
            shown = f"best of {len(run['history'])} epochs: {run['best_epoch']}"
            yield Line(f"{what}: curves", "made", MADE, known, shown, run["data"], run["note"])
            best, n = max(epoch["val_accuracy"] for epoch in run["history"]), run["record"].split["validation"]
            how = _how(run, evidence) | {"data": f"{n:,} validation images", "note": printed.note}
            line = rate_line(f"{what}: highest validation accuracy", printed.value, best, n=n, **how)
            yield replace(line, note=run["note"])


def _figure_13(evidence):
    """Mean and standard deviation of the rates: the text prints none of them."""
    for experiment, model, title in DESIGNS.values():
        for network in NETWORKS:
            what = title.format(BACKBONES[network].title)
            for run in evidence.runs(experiment, network, model.format(network)).values():
                rates = (100 * metrics.mean_sd(run["confusion"])).iterrows()
                spread = ", ".join(f"{name} {row['mean']:.1f} ± {row['sd']:.1f} %" for name, row in rates)
                yield Line(what, "made", MADE, measured=spread, data=run["data"], note=run["note"])
                break
            else:
                yield _missing(what, experiment, network, evidence)


def _figure_15(evidence):
    """How alike the two maps are before and after training, and how many of their layer changed more."""
    run = next(iter(evidence.runs("finetune", "vgg16", DESIGNS["fine_tuned"][1].format("vgg16")).values()), {})
    if "maps" not in run:
        yield Line("", "made", MADE, data=CELLS)
        return
    found = run["maps"]
    data = f"{found['cells']:,} neutrophils of the test images, {run['record'].profile} profile"
    for row in found["compared"]:
        what = f"VGG-16, {row['layer']}, map {row['map']}: before and after training"
        shown = (
            f"rank correlation {row['shown']:.2f} in one neutrophil, {row['mean']:.2f} in {found['cells']} (median of "
            f"the {row['maps']} maps {row['median']:.2f}; {row['more']} changed more)"
        )
        yield Line(what, "made", MADE, "a pair of pictures", shown, data, run["note"])


def _figure_16(evidence):
    """The shares of four pairs."""
    runs = evidence.runs("finetune", "vgg16", DESIGNS["fine_tuned"][1].format("vgg16"))
    if not runs:
        yield _missing("the shares of the pairs", "finetune", "vgg16", evidence, count=len(paper.CONFUSIONS))
        return
    for (true, predicted), printed in paper.CONFUSIONS.items():
        what = f"{by_folder(true).name} taken for {by_folder(predicted).name}"
        yield _averaged(what, printed, runs, evidence, FOLDERS.index(true), FOLDERS.index(predicted))


def _figure_14(evidence):
    """Our rates of five classes, what the text gives of the paper's, and what it leaves out of two earlier works."""
    experiment, model, title = DESIGNS["fine_tuned"]
    runs = evidence.runs(experiment, "vgg16", model.format("vgg16"))
    what = f"{title.format(BACKBONES['vgg16'].title)}: true-positive rates of {len(paper.FIG_14)} classes"
    rates, above = (known["fine_tuned", "vgg16"] for known in (paper.TRUE_POSITIVE_RATE, paper.RATE_ABOVE))
    said = ", ".join(
        f"{by_folder(name).name} {f'{rates[name]:g}' if name in rates else f'over {above[name]:g}'}"
        for name in paper.FIG_14
    )
    if runs:
        shares = {name: mean_rate(runs, *[FOLDERS.index(name)] * 2)[0] for name in paper.FIG_14}
        shown = ", ".join(f"{by_folder(name).name} {100 * share:.1f}" for name, share in shares.items())
        run = next(iter(runs.values()))
        yield Line(what, "made", MADE, f"{said} %", f"{shown} %", run["data"], run["note"])
    else:
        yield replace(_missing(what, experiment, "vgg16", evidence, count=len(paper.FIG_14)), printed=f"{said} %")
    for work, reached in paper.EARLIER_WORKS.items():
        said = "; ".join(f"{name}: {value:g} %" for name, value in reached.items())
        yield Line(work, "made", "its rates are not given in the text", f"accuracy with {said}")


def _figure_17(evidence):
    """The highest validation accuracy of the two arms."""
    printed = f"over {paper.BALANCED_VALIDATION:g} % (balanced)"
    for network in NETWORKS:
        what, arms = f"{BACKBONES[network].title}: validation accuracy, epoch by epoch", _arms(evidence, network)
        if arms is None or not all(run.get("history") for runs in arms for run in runs.values()):
            known = "curves not recorded; " if arms else ""
            line = _missing(what, "balance", network, evidence)
            yield replace(line, printed=printed, verdict=known + line.verdict)
            continue
        natural, balanced = (
            100 * np.mean([max(epoch["val_accuracy"] for epoch in run["history"]) for run in runs.values()])
            for runs in arms
        )
        run = next(iter(arms[0].values()))
        seeds = " and ".join(str(n) for n in sorted({len(runs) for runs in arms}))
        remark = "" if seeds == "1" else f", mean of {seeds} seeds"
        shown = f"balanced {balanced:.1f} %, unbalanced {natural:.1f} % (highest{remark})"
        data = f"{run['record'].split['validation']:,} validation images, the same for both"
        yield Line(what, "made", MADE, printed, shown, data, run["note"])


def _figure_18(evidence):
    """Accuracy without balance, what balance adds, and which rates it raises."""
    for network in NETWORKS:
        title, arms = BACKBONES[network].title, _arms(evidence, network)
        printed = paper.ACCURACY["fine_tuned_unbalanced", network]
        falling, where = len(paper.FALL_UNBALANCED), f"printed in {printed.place}"
        if arms is None:
            what = f"{title}, trained on unbalanced images: accuracy ({where}), true-positive rates"
            yield _missing(what, "balance", network, evidence, printed)
            continue
        natural, balanced = arms
        run = next(iter(natural.values()))
        n = sum(run.get("training_images", ()))
        what = f"{title}, trained on {f'{n:,} ' if n else ''}unbalanced images: accuracy ({where})"
        yield _averaged(what, printed, natural, evidence)
        if added := gain(balanced, natural):
            whole = paper.ACCURACY["fine_tuned", network]
            points, note = round(whole.value - printed.value, 2), f"{whole.place} less {printed.place}"
            how = _how(run, evidence) | {"interval": added[1], "unit": "points", "note": note}
            line = interval_line(f"{title}: what balancing adds", points, added[0], **how)
            yield replace(line, note=run["note"])
        lower = [
            name for name in paper.FALL_UNBALANCED
            if np.subtract(*(mean_rate(runs, *[FOLDERS.index(name)] * 2)[0] for runs in arms)) < 0
        ]  # fmt: skip
        what = f"{title}: rates that are lower without balance, of the {falling} that the paper names"
        shown = f"{len(lower)} ({', '.join(by_folder(name).name for name in lower)})"
        printed = f"{falling} (immature granulocytes among them, of which Table 1 has more than platelets)"
        yield Line(what, "made", MADE, printed, shown, run["data"], run["note"])


def _arms(evidence, network):
    """The runs of the two arms that the paper has; None unless both were measured."""
    arms = [evidence.runs("balance", network, arm=arm) for arm in ARMS]
    return arms if all(arms) else None


def _averaged(what, printed, runs, evidence, *classes):
    share, n = mean_rate(runs, *classes)
    run, remark = next(iter(runs.values())), f"(mean of {len(runs)} seeds)" if len(runs) > 1 else ""
    value, note = (printed.value, printed.note) if isinstance(printed, paper.Printed) else (printed, "")
    line = rate_line(what, value, share, n=n, remark=remark, **_how(run, evidence) | {"note": note})
    return replace(line, note=run["note"])


def _how(run, evidence):
    """What every comparison says of a run."""
    return {"data": run["data"], "smaller": run["smaller"], "rehearsal": evidence.rehearsal}


def _missing(what, experiment, network, evidence, printed=None, count=1, partly=False):
    advice = "not rehearsed" if evidence.rehearsal else how_to_measure(experiment, network, partly)
    said = percent(printed.value, printed.note) if printed else ""
    return Line(what, "missing", advice, said, count=count)


NUMBERS = {  # what speaks for the items that have numbers
    "Table 1": _table_1,
    "Table 2": _table_2,
    "Table 3": _table_3,
    "Fig. 7": _figure_7,
    "Fig. 10": _figure_10,
    "Fig. 11": _matrices("svm"),
    "Fig. 12": _matrices("fine_tuned"),
    "Fig. 13": _figure_13,
    "Fig. 14": _figure_14,
    "Fig. 15": _figure_15,
    "Fig. 16": _figure_16,
    "Fig. 17": _figure_17,
    "Fig. 18": _figure_18,
}
