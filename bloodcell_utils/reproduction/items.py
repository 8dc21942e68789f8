"""The checklist: a row for each of the paper's 3 tables, 18 figures and 7 equations, with what speaks for it.

Which chapter makes an item again stands in ``course.yml`` alone; what was printed, in `paper`; what was measured, in
the records. A line here only says which of them belong together.
"""

from dataclasses import dataclass, replace

from .. import course, paper
from ..cells import FOLDERS, by_folder
from ..datasets import pbc
from ..evaluation import metrics
from ..models.backbones import BACKBONES
from .evidence import Evidence, gain, how_to_measure, mean_rate
from .verdicts import KINDS, Line, fact_line, interval_line, percent, rate_line

NETWORKS = tuple(BACKBONES)
DESIGNS = {
    "svm": ("svm", "{} last block", "{}'s last block and SVM"),
    "fine_tuned": ("finetune", "{} fine-tuned", "{} fine-tuned"),
}
CELLS = "drawn cells (laptop profile: PBC)"
MADE = KINDS["made"]
KERAS, NUMPY = "the networks of Keras", "numpy, beside Keras"


@dataclass(frozen=True)
class Row:
    """One item of the paper.

    Attributes
    ----------
    name : str
        ``"Table 3"``, ``"Fig. 11"`` or ``"Eq. 7"``.
    what : str
        What it is about.
    chapters : tuple of course.Chapter
        Where it is made again.
    lines : tuple of Line
        What was compared; at least one.
    """

    name: str
    what: str
    chapters: tuple
    lines: tuple

    @property
    def notes(self):
        """What the records behind the lines say of themselves, each once."""
        return tuple(dict.fromkeys(line.note for line in self.lines if line.note))


def checklist(records, rehearsal=False):
    """Every item of the paper, and how close the measured numbers are to the printed ones.

    Parameters
    ----------
    records : list of Record
        For an experiment with several, that of the full profile counts before that of the laptop; drawn cells never.
    rehearsal : bool
        The other way round: drawn cells alone, and no verdict on any number.

    Returns
    -------
    list of Row
        3 tables, 18 figures, 7 equations, in this order.
    """
    evidence = Evidence(records, rehearsal)
    rows = []
    for name, (what, speak) in ITEMS.items():
        chapters = chapters_of(name)
        lines = tuple(speak(evidence)) if chapters else (Line("", "missing", "no chapter makes it again yet"),)
        rows.append(Row(name, what, chapters, lines))
    return rows


def chapters_of(name):
    """The chapters that make an item again.

    Parameters
    ----------
    name : str
        For example ``"Fig. 11"``.

    Returns
    -------
    tuple of course.Chapter
    """
    return tuple(chapter for chapter in course.load().chapters if name in chapter.paper)


def _made(data):
    """Pictures and equations: the chapter that makes them again is the evidence."""
    return lambda evidence: [Line("", "made", MADE, data=data)]


def _table_1(evidence):
    folders = pbc.manifest()["path"].str.split("/").str[0]
    found = {folder: int((folders == folder).sum()) for folder in FOLDERS}

    def total(counts):
        return f"{sum(counts.values()):,} images in {len(counts)} classes"

    yield fact_line("images of each class", paper.TABLE_1, found, data="the list of the official release", shown=total)


def _table_2(evidence):
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
            for folder, printed in rates.items():
                i = FOLDERS.index(folder)
                what_rate = f"{what}: true-positive rate, {by_folder(folder).name}"
                yield _averaged(what_rate, printed, runs, evidence, i, i)

    return speak


def _figure_10(evidence):
    experiment, model, title = DESIGNS["fine_tuned"]
    runs = evidence.runs(experiment, "vgg16", model.format("vgg16"))
    curves = [run for run in runs.values() if run.get("history")]
    if not curves:
        yield from _made(CELLS)(evidence)
    for run in curves:
        shown = {"measured": f"{len(run['history'])} epochs, best: {run['best_epoch']}", "note": run["note"]}
        yield Line(title.format(BACKBONES["vgg16"].title), "made", MADE, data=run["data"], **shown)


def _figure_13(evidence):
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


def _figure_16(evidence):
    runs = evidence.runs("finetune", "vgg16", DESIGNS["fine_tuned"][1].format("vgg16"))
    if not runs:
        yield _missing("the shares of the pairs", "finetune", "vgg16", evidence, count=len(paper.CONFUSIONS))
        return
    for (true, predicted), printed in paper.CONFUSIONS.items():
        what = f"{by_folder(true).name} taken for {by_folder(predicted).name}"
        yield _averaged(what, printed, runs, evidence, FOLDERS.index(true), FOLDERS.index(predicted))


def _balance(network):
    def speak(evidence):
        title = BACKBONES[network].title
        natural, balanced = (evidence.runs("balance", network, arm=arm) for arm in ARMS)
        printed = paper.ACCURACY["fine_tuned_unbalanced", network]
        if not natural or not balanced:
            yield _missing(f"{title}, trained on unbalanced images: accuracy", "balance", network, evidence, printed)
            return
        n = sum(next(iter(natural.values())).get("training_images", ()))
        what = f"{title}, trained on {f'{n:,} ' if n else ''}unbalanced images: accuracy"
        yield _averaged(what, printed, natural, evidence)
        added = gain(balanced, natural)
        if added:
            whole, run = paper.ACCURACY["fine_tuned", network], next(iter(natural.values()))
            what, points = f"{title}: what balancing adds", round(whole.value - printed.value, 2)
            how = {"data": run["data"], "rehearsal": evidence.rehearsal, "unit": "points"}
            note = f"{whole.place} less {printed.place}"
            line = interval_line(what, points, added[0], interval=added[1], note=note, **how)
            yield replace(line, note=run["note"])

    return speak


ARMS = ("unbalanced, as it is", "balanced by augmentation")  # of the experiment; the other two are the course's own


def _averaged(what, printed, runs, evidence, *classes):
    share, n = mean_rate(runs, *classes)
    run, remark = next(iter(runs.values())), f"(mean of {len(runs)} seeds)" if len(runs) > 1 else ""
    value, note = (printed.value, printed.note) if isinstance(printed, paper.Printed) else (printed, "")
    line = rate_line(what, value, share, n=n, data=run["data"], rehearsal=evidence.rehearsal, remark=remark, note=note)
    return replace(line, note=run["note"])


def _missing(what, experiment, network, evidence, printed=None, count=1, partly=False):
    advice = "not rehearsed" if evidence.rehearsal else how_to_measure(experiment, network, partly)
    said = percent(printed.value, printed.note) if printed else ""
    return Line(what, "missing", advice, said, count=count)


BORROWED = ("frozen features and a support vector machine", _made(CELLS))
INSIDE = ("what is inside the networks", _made(KERAS))
FEATURE = ("what a feature is", _made(CELLS))
ITEMS = {  # what each is about, and what speaks for it
    "Table 1": ("images of each class", _table_1),
    "Table 2": ("the two networks in numbers", _table_2),
    "Table 3": ("images a class and blocks trained: validation accuracy", _table_3),
    "Fig. 1": ("the data set: what is in it", _made(CELLS)),
    "Fig. 2": ("augmentation", _made(CELLS)),
    "Fig. 3": INSIDE,
    "Fig. 4": FEATURE,
    "Fig. 5": FEATURE,
    "Fig. 6": BORROWED,
    "Fig. 7": BORROWED,
    "Fig. 8": INSIDE,
    "Fig. 9": INSIDE,
    "Fig. 10": ("training, epoch by epoch", _figure_10),
    "Fig. 11": ("confusion matrices of the support vector machines", _matrices("svm")),
    "Fig. 12": ("confusion matrices of the fine-tuned networks", _matrices("fine_tuned")),
    "Fig. 13": ("mean and standard deviation of the rates over the classes", _figure_13),
    "Fig. 14": ("beside two earlier works, measured on other data", _made("the accuracies of Figs. 11 and 12")),
    "Fig. 15": ("feature maps: block3_conv1, map 38, and block3_conv2, map 27", _made(CELLS)),
    "Fig. 16": ("errors: four pairs of kinds that are confused", _figure_16),
    "Fig. 17": ("VGG-16 without balance", _balance("vgg16")),
    "Fig. 18": ("Inception-v3 without balance", _balance("inception_v3")),
    "Eq. 1": ("convolution", _made(NUMPY)),
    "Eq. 2": ("rectified linear unit", _made(NUMPY)),
    "Eq. 3": ("a neuron of a dense layer", _made(NUMPY)),
    "Eq. 4": ("softmax", _made(NUMPY)),
    "Eq. 5": ("categorical cross-entropy", _made("the training of the chapter")),
    "Eq. 6": ("stochastic gradient descent", _made("the training of the chapter")),
    "Eq. 7": ("sensitivity, specificity, precision", _made("every confusion matrix of this course")),
}
