"""A round of naming cells against the clock: the reader's answers beside a model's, on the very same cells.

What is answered is kept after each cell in a small file beside the learner's progress, so that a round goes on where it
was interrupted. The page without Python behind it shows the cells alone.
"""

import csv
import io
import time
from html import escape

import numpy as np
import pandas as pd

from .. import config
from ..cells import CELLS, FOLDERS
from ..datasets.cache import key
from ..datasets.loading import load_images
from ..datasets.pbc import labels
from ..datasets.pictures import resize
from ..errors import BloodcellError
from ..evaluation import metrics
from ..files import read_file, replace_file, set_aside
from ..models.features import color_histogram
from .frames import img

_COLUMNS = ["cell", "answer", "seconds"]
_SIDE = 288  # pixels: of the cell on the page
_DARK = ("#0072B2", "#666666")  # buttons on which black letters could not be read
_SEEN = 250  # training images a class; the colours of more tell a reader of colours little more


class Round:
    """Cells to name, one after the other, and what was answered so far.

    Parameters
    ----------
    images : sequence of numpy.ndarray of uint8, shape (height, width, 3)
    names : sequence of str
        Of the cells, for example their paths; the same names in the same order are the same round.

    Attributes
    ----------
    answers : list of int
        Class numbers, in the paper's order, of the cells that have been answered.
    seconds : list of float
        From the moment that a cell was shown to its answer; going back does not stop the clock.
    note : str
        What went wrong with the file, if anything did.
    path : pathlib.Path
        Of the file.
    """

    def __init__(self, images, names):
        self.images, self.names = list(images), [str(name) for name in names]
        if not self.images or len(self.images) != len(self.names):
            raise BloodcellError(f"A name for each cell is needed: {len(self.images)} cells, {len(self.names)} names.")
        self.path = config.progress_file().with_name(f"round-{key(*self.names)}.csv")
        self.answers, self.seconds, self.note = [], [], ""
        self._since, self._before = None, 0.0
        try:
            if self.path.exists():
                self.answers, self.seconds = _read(read_file(self.path).decode(), self.names)
        except (BloodcellError, OSError, ValueError, csv.Error) as err:
            self.note = f"Your earlier answers cannot be read ({err}); the round begins anew."
            try:
                self.note += f" The file was set aside as {set_aside(self.path)}."
            except (BloodcellError, OSError) as left:
                self.note += f" {left}"

    def __len__(self):
        return len(self.images)

    def __repr__(self):
        return f"<{len(self.answers)} of {len(self)} cells named{f'; {self.note}' if self.note else ''}>"

    @property
    def done(self):
        """Whether every cell has an answer."""
        return len(self.answers) == len(self)

    @property
    def running(self):
        """Whether a cell is shown and the clock runs."""
        return self._since is not None

    def start(self):
        """The clock runs, from the first cell without an answer."""
        if not self.done:
            self._since = time.monotonic()

    def answer(self, number):
        """Name the cell that is shown; the next one follows. Nothing happens before `start`, and once all are named.

        Parameters
        ----------
        number : int
            Of the class, from 0.

        Raises
        ------
        BloodcellError
            If there is no such class.
        """
        if number not in range(len(FOLDERS)):
            raise BloodcellError(f"There is no class {number!r}; they are numbered from 0 to {len(FOLDERS) - 1}.")
        if not self.running:
            return
        self.answers.append(int(number))
        self.seconds.append(self._before + self._elapsed())
        self._before = 0.0
        self._since = None if self.done else time.monotonic()
        self._keep()

    def undo(self):
        """Take the last answer back; the time that it took stays on the clock."""
        if not self.answers:
            return
        self._before += self.seconds.pop() + self._elapsed()
        self.answers.pop()
        self._since = time.monotonic()
        self._keep()

    def restart(self):
        """Begin anew; the answers so far are set aside in a file beside.

        Returns
        -------
        pathlib.Path or None
            Where they are now; None if there were none.
        """
        self.answers, self.seconds, self._since, self._before = [], [], None, 0.0
        return set_aside(self.path) if self.path.exists() else None

    def table(self):
        """What was answered so far: ``cell``, ``answer`` (a class folder) and ``seconds``."""
        rows = zip(self.names, (FOLDERS[number] for number in self.answers), self.seconds, strict=False)
        return pd.DataFrame(list(rows), columns=_COLUMNS)

    def play(self):
        """The round as a widget for a live notebook: buttons, or from the start on the keys 1 to 8.

        The cell stands beside the buttons, and its place is kept before the start: all of it fits on a small screen.

        Returns
        -------
        ipywidgets.VBox
        """
        import ipywidgets as w

        picture, says = w.HTML(), w.HTML()
        picture.layout = {"width": f"{_SIDE}px", "height": f"{_SIDE}px", "margin": "2px 12px 2px 2px"}
        bar = w.IntProgress(min=0, max=len(self), description="named")
        begin = w.Button(button_style="primary", tooltip="The clock starts")
        back = w.Button(description="undo", tooltip="Take the last answer back")
        typed = w.Text(placeholder="or type 1 to 8; 0 undoes", description="keys", continuous_update=True)
        kinds = [w.Button(description=f"{i} {cell.name}", layout={"width": "14em"}) for i, cell in enumerate(CELLS, 1)]
        for button, cell in zip(kinds, CELLS, strict=True):
            button.style.button_color, button.style.text_color = cell.color, "white" if cell.color in _DARK else "black"

        def show():
            n, runs = len(self.answers), self.running
            bar.value, back.disabled = n, n == 0
            for control in (*kinds, typed):
                control.disabled = not runs
            begin.description = "go on" if n else "start"
            begin.layout.visibility = "hidden" if runs or self.done else "visible"
            alt = f"A cell to name, {n + 1} of {len(self)}"
            picture.value = img(resize(self.images[n], _SIDE), alt) if runs else ""
            says.value = _says(self)

        def does(action, *arguments):
            def act(_=None):
                action(*arguments)
                show()

            return act

        def press(change):
            last = change["new"][-1:]
            if last:
                typed.value = ""  # the next key may be the same one
                keys.get(last, show)()

        keys = {"0": does(self.undo)}
        begin.on_click(does(self.start))
        begin.on_click(lambda _: typed.focus())
        back.on_click(keys["0"])
        for number, button in enumerate(kinds):
            keys[str(number + 1)] = does(self.answer, number)
            button.on_click(keys[str(number + 1)])
        typed.observe(press, "value")
        show()
        rows = [w.HBox(kinds[i : i + 2]) for i in range(0, len(kinds), 2)]
        board = w.VBox([begin, *rows, w.HBox([typed, back])])
        return w.VBox([w.HBox([bar, says]), w.HBox([picture, board], layout={"flex_flow": "row wrap"})])

    def _elapsed(self):
        return max(0.0, time.monotonic() - self._since) if self.running else 0.0

    def _keep(self):
        """A full disk costs the file, not the round."""
        try:
            replace_file(self.path, self.table().to_csv(index=False, lineterminator="\n").encode())
        except BloodcellError as err:
            self.note = f"Your answers are not kept: {err}"


def draw_round(table, per_class=5, seed=config.SEED):
    """The cells of a round: equally many of each class from the test part, in random order.

    Parameters
    ----------
    table : pandas.DataFrame
        A split (`splits.clean`).
    per_class : int
    seed : int

    Returns
    -------
    pandas.DataFrame
        Rows of the table, numbered anew.

    Raises
    ------
    BloodcellError
        If a class has too few test images.
    """
    test = table[table["subset"] == "test"].sort_values("path")
    fewest = test["class"].value_counts().reindex(FOLDERS, fill_value=0)
    if fewest.min() < per_class:
        raise BloodcellError(f"{per_class} test images of each class are needed; {fewest.idxmin()} has {fewest.min()}.")
    rng = np.random.default_rng(seed)
    drawn = [rng.choice(np.flatnonzero(test["class"] == folder), per_class, replace=False) for folder in FOLDERS]
    return test.iloc[rng.permutation(np.concatenate(drawn))].reset_index(drop=True)


def predict_by_colour(table, images):
    """What a reader says who looks at the colours alone: the histogram and support vector machine of the baseline.

    Parameters
    ----------
    table : pandas.DataFrame
        A split; learnt from its training images, at most 250 of each class.
    images : array-like of uint8, shape (n, size, size, 3)
        To name.

    Returns
    -------
    numpy.ndarray of int, shape (n,)
        Class numbers.
    """
    from ..experiments.svm import histogram_classifier

    train = table[table["subset"] == "train"].groupby("class").head(_SEEN).reset_index(drop=True)
    images = np.asarray(images)
    seen = load_images(train, images.shape[1], progressbar=False)
    classifier = histogram_classifier().fit(color_histogram(seen), labels(train))
    return classifier.predict(color_histogram(images))


def reader_scores(y_true, readers):
    """How well several readers named the same cells.

    Parameters
    ----------
    y_true : array-like of int, shape (n,)
    readers : dict of str to array-like of int, shape (n,)
        Name of the reader, and the answers.

    Returns
    -------
    pandas.DataFrame
        A row a reader: ``right`` and ``of`` (cells), ``kappa`` (Cohen's, with the truth), and the bounds ``low`` and
        ``high`` of its bootstrap interval (95 %).
    """
    rows = {}
    for name, answers in readers.items():
        confusion = metrics.confusion_matrix(y_true, answers)
        low, high = metrics.bootstrap(confusion, metrics.kappa, stratified=False)
        right = {"right": int(np.trace(confusion)), "of": int(confusion.sum())}
        rows[name] = right | {"kappa": metrics.kappa(confusion), "low": low, "high": high}
    return pd.DataFrame.from_dict(rows, orient="index")


def _read(text, names):
    """Answers and seconds of a file, which holds the first cells of the round in their order."""
    columns, *rows = csv.reader(io.StringIO(text))
    if columns != _COLUMNS or len(rows) > len(names) or any(len(row) != len(_COLUMNS) for row in rows):
        raise ValueError("it is not a table of cells, answers and seconds")
    if [row[0] for row in rows] != names[: len(rows)]:
        raise ValueError("it is about other cells")
    answers, seconds = [FOLDERS.index(row[1]) for row in rows], [float(row[2]) for row in rows]
    if not all(0 <= s < float("inf") for s in seconds):
        raise ValueError("a time is not a number of seconds")
    return answers, seconds


def _says(played):
    text = f"{len(played.answers)} of {len(played)}"
    if played.seconds:
        text += f", {np.median(played.seconds):.1f} s a cell"
    if played.done:
        text += ". Done: now run the cells below."
    return escape(f"{text} {played.note}".strip())
