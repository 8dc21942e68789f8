"""The checklist: a row for each of the paper's 3 tables, 18 figures and 7 equations, with what speaks for it.

Which chapter makes an item again stands in ``course.yml`` alone; what was printed, in `paper`; what was measured, in
the records. A line here only says which of them belong together.
"""

from dataclasses import dataclass

from .. import course
from .comparisons import CELLS, KERAS, MADE, NUMBERS
from .evidence import Evidence
from .verdicts import Line

NUMPY = "numpy, beside Keras"


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
        For an experiment with several, that of the fullest profile counts; drawn cells never.
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


BORROWED = ("frozen features and a support vector machine", _made(CELLS))
INSIDE = ("what is inside the networks", _made(KERAS))
FEATURE = ("what a feature is", _made(CELLS))
ITEMS = {  # what each is about, and what speaks for it
    "Table 1": ("images of each class", NUMBERS["Table 1"]),
    "Table 2": ("the two networks in numbers", NUMBERS["Table 2"]),
    "Table 3": ("images a class and blocks trained: validation accuracy", NUMBERS["Table 3"]),
    "Fig. 1": ("the data set: what is in it", _made(CELLS)),
    "Fig. 2": ("augmentation", _made(CELLS)),
    "Fig. 3": ("the system: two roads from an image to a name", _made(KERAS)),
    "Fig. 4": FEATURE,
    "Fig. 5": FEATURE,
    "Fig. 6": BORROWED,
    "Fig. 7": ("cross-validation of two kernels", NUMBERS["Fig. 7"]),
    "Fig. 8": INSIDE,
    "Fig. 9": INSIDE,
    "Fig. 10": ("training, epoch by epoch", NUMBERS["Fig. 10"]),
    "Fig. 11": ("confusion matrices of the support vector machines", NUMBERS["Fig. 11"]),
    "Fig. 12": ("confusion matrices of the fine-tuned networks", NUMBERS["Fig. 12"]),
    "Fig. 13": ("mean and standard deviation of the rates over the classes", NUMBERS["Fig. 13"]),
    "Fig. 14": (
        "true-positive rates beside two earlier works, which were measured on other data",
        NUMBERS["Fig. 14"],
    ),
    "Fig. 15": ("feature maps: block3_conv1, map 38, and block3_conv2, map 27", NUMBERS["Fig. 15"]),
    "Fig. 16": ("errors: four pairs of kinds that are confused", NUMBERS["Fig. 16"]),
    "Fig. 17": ("validation accuracy over the epochs, with and without balance", NUMBERS["Fig. 17"]),
    "Fig. 18": ("true-positive rates with and without balance", NUMBERS["Fig. 18"]),
    "Eq. 1": ("convolution", _made(NUMPY)),
    "Eq. 2": ("rectified linear unit", _made(NUMPY)),
    "Eq. 3": ("a neuron of a dense layer", _made(NUMPY)),
    "Eq. 4": ("softmax", _made(NUMPY)),
    "Eq. 5": ("categorical cross-entropy", _made("the training of the chapter")),
    "Eq. 6": ("a step of gradient descent", _made("the training of the chapter")),
    "Eq. 7": ("sensitivity, specificity, precision", _made("every confusion matrix of this course")),
}
