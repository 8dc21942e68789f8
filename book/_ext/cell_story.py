"""The directive ``{cell-story}``: one drawn cell from the slide to the confusion matrix, and to other laboratories.

Pictures, numbers and answers are computed with the shipped networks when the book is built; none of them was typed.
Without its script the story is a strip of captioned pictures; ``front.js`` lets one follow the other as it is scrolled.
"""

from functools import cache
from pathlib import Path

import numpy as np
from docutils import nodes
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from matplotlib import colormaps
from PIL import Image
from sphinx.util.docutils import SphinxDirective

from bloodcell_utils import course
from bloodcell_utils.cells import CELLS, by_folder
from bloodcell_utils.datasets import drawn_labs
from bloodcell_utils.datasets.specs import random_spec
from bloodcell_utils.datasets.synthetic import FIELD_UM, draw
from bloodcell_utils.evaluation import prediction
from bloodcell_utils.experiments import records, shift
from bloodcell_utils.files import replace_file
from bloodcell_utils.interactive.page import data_uri, webp
from bloodcell_utils.models import pretrained
from bloodcell_utils.models.compactnet_input import IMAGE

ROOT = Path(__file__).resolve().parents[2]
KIND, SEED = "MO", 0
SIDE, WINDOW = 400, 9  # pixels: of the pictures; of the patch whose numbers are shown
LAYERS, ACROSS, TILE = ("stem1", "stem2", "block1a"), 6, 64  # two rows of maps a layer
RECORD = "shift.laptop"


@cache
def cell():
    """The cell at home and in each drawn laboratory, and the networks' answers to them.

    Returns
    -------
    pictures : dict of str to numpy.ndarray of uint8, shape (SIDE, SIDE, 3)
    answers : pandas.DataFrame
        From `prediction.predict`, a row a picture.
    """
    home = draw(random_spec(KIND, np.random.default_rng(SEED)), SIDE, SEED)
    pictures = {"home": home}
    pictures |= {name.split()[-1]: drawn_labs.photograph(home, lab) for name, lab in drawn_labs.LABS.items()}
    return pictures, prediction.predict(list(pictures.values()))


def small():
    """The cell as the networks are given it, shape (IMAGE, IMAGE, 3)."""
    return prediction.prepare([cell()[0]["home"]])[0][0]


def patch():
    """The window of the cell in which green light varies most: an edge of the nucleus."""
    picture, middle = small(), slice(IMAGE // 4, -IMAGE // 4)
    windows = np.lib.stride_tricks.sliding_window_view(picture[middle, middle], (WINDOW, WINDOW), (0, 1))
    varied = windows[:, :, 1].std(axis=(-2, -1))
    row, column = np.unravel_index(varied.argmax(), varied.shape)
    return windows[row, column].transpose(1, 2, 0)


def maps():
    """The most varied maps of a few layers as a picture, two rows each; and side and number of the maps of each."""
    answers = pretrained.feature_maps(small()[None])
    rows, sizes = [], []
    for name in LAYERS:
        found = np.maximum(answers[name][0], 0)
        sizes.append(found.shape[1:])
        most = found.std(axis=(0, 1)).argsort()[: -2 * ACROSS - 1 : -1]
        tiles = [found[..., i] / found[..., i].max() for i in sorted(most)]
        tiles = [255 * colormaps["magma"](tile)[..., :3] for tile in tiles]
        tiles = [np.asarray(Image.fromarray(t.astype(np.uint8)).resize((TILE - 2, TILE - 2), 0)) for t in tiles]
        tiles = [np.pad(t, ((1, 1), (1, 1), (0, 0))) for t in tiles]
        rows += [np.hstack(tiles[:ACROSS]), np.hstack(tiles[ACROSS:])]
    return np.vstack(rows), sizes


def files():
    """The pictures of the story by name, as the bytes of WebP files."""
    written = {f"{name}.webp": webp(Image.fromarray(picture), 85) for name, picture in cell()[0].items()}
    few_colours = Image.fromarray(maps()[0]).quantize(32, dither=Image.Dither.NONE).convert("RGB")
    return {**written, "maps.webp": webp(few_colours, 85, lossless=True)}


def place():
    """Where the recorded networks put photographed cells: their matrix at home, and how often they are right away."""
    record = records.load_record(*RECORD.split("."), folder=ROOT / "book" / "results")
    groups = record.models[shift.BOTH]["groups"]
    right = {name: counts["right"] / counts["n"] for name, counts in groups.items()}
    away = min((name for name in groups if name != "home"), key=right.get)
    return np.array(groups["home"]["confusion"]), 100 * right["home"], 100 * right[away], groups[away]["n"]


def story(static):
    """The story as HTML.

    Parameters
    ----------
    static : str
        The address of its pictures, as seen from the page.

    Returns
    -------
    str
    """
    pictures, answers = cell()
    truth = by_folder(next(kind.folder for kind in CELLS if KIND in kind.subtypes))
    votes = answers[[kind.folder for kind in CELLS]].to_numpy()
    rows = [
        {
            "lab": lab,
            "refused": answer == prediction.UNSURE,
            "best": CELLS[row.argmax()],
            "sure": 100 * row.max(),
            "strangeness": strangeness,
        }
        for lab, answer, row, strangeness in zip(
            pictures, answers["answer"], votes, answers["strangeness"], strict=True
        )
    ]
    matrix, home, away, n_away = place()
    i = CELLS.index(truth)
    return template().render(
        static=static,
        chapter=course.chapter,
        kinds=CELLS,
        truth=truth,
        at_home=rows[0],
        elsewhere=rows[1:],
        side=SIDE,
        field=FIELD_UM,
        image=IMAGE,
        patch=patch()[..., 1].tolist(),
        patch_picture=data_uri(webp(Image.fromarray(patch()), 85, lossless=True)),
        sizes=maps()[1],
        features=len(pretrained.weights()["logits/kernel"]),
        votes=list(zip(CELLS, 100 * votes[0], strict=True)),
        threshold=100 * pretrained.metadata(pretrained.TRAVELLED)["threshold"],
        matrix=matrix.tolist(),
        totals=matrix.sum(axis=1).tolist(),
        i=i,
        found=matrix[i, i],
        called=matrix[:, i].sum(),
        home=home,
        away=away,
        n_away=n_away,
    )


def template():
    """The story without its numbers."""
    loader = FileSystemLoader(ROOT / "book" / "_templates")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.get_template("story.html")


class CellStory(SphinxDirective):
    """Take no argument; leave the story."""

    def run(self):
        self.env.note_dependency(str(ROOT / "book" / "results" / f"{RECORD}.json"))
        for read in (ROOT / "book" / "_templates" / "story.html", ROOT / "course.yml"):
            self.env.note_dependency(str(read))
        static = "../" * self.env.docname.count("/") + "_static/story/"
        return [nodes.raw("", story(static), format="html")]


def write(app, exception):
    """Write the pictures."""
    if exception is not None or app.builder.format != "html":
        return
    folder = Path(app.outdir) / "_static" / "story"
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in files().items():
        replace_file(folder / name, picture)


def setup(app):
    app.add_directive("cell-story", CellStory)
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
