"""Three small sets of other laboratories: cells to measure with, that the shipped network was never trained on.

``bccd`` is of fields with boxes around the cells; in ``jiangxi`` and ``cellavision`` a picture is of one white cell.
A set is taken as `download.fetch_set` brings it, or as a copy without loss, in a zip or a folder: a picture is known by
its bytes, or by the bytes of the BMP that its pixels make, and others are not taken for it.
"""

import hashlib
import io
import re
import zipfile
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from ..cells import FOLDERS
from ..config import SEED, labs_dir
from ..errors import DataError
from . import archives, pictures
from .cache import key

COLUMNS = ["source", "path", "class", "width", "height", "sha256", "left", "top", "right", "bottom", "field"]
_BOX = r"<name>(\w+)</name>.*?" + r"\s*".join(rf"<{side}>(\d+)</{side}>" for side in ("xmin", "ymin", "xmax", "ymax"))


@dataclass(frozen=True, kw_only=True)
class Lab:
    """One set: its repository and commit on GitHub, and the course's names of the laboratory's classes (or numbers).

    `field` is the side of a window that shows what PBC's pictures show, about 2.4 times the cell, in longer sides of
    its box (of the picture, where there are no boxes); `boxes` the `cache.key` of all boxes, `alias` its other name.
    """

    title: str
    licence: str
    citation: str
    repository: str
    commit: str
    classes: dict[str, str]
    field: float
    boxes: str = ""
    alias: str = ""


_ZHENG = {
    "licence": "GPL-3",
    "citation": "Zheng et al. 2018, doi 10.1016/j.micron.2018.01.010",
    "repository": "zxaoyou/segmentation_WBC",
    "commit": "fa9c01622f52bccb9aeb8a6f2628f564e377767d",
    "classes": {"1": "neutrophil", "2": "lymphocyte", "3": "monocyte", "4": "eosinophil", "5": "basophil"},
}
LABS = {
    "jiangxi": Lab(title="Jiangxi Tecom: 300 white cells in a rapid stain", field=1.5, **_ZHENG),
    "cellavision": Lab(title="CellaVision blog: 100 white cells", field=1.35, alias="cellavision_blog", **_ZHENG),
    "bccd": Lab(
        title="BCCD: 364 fields with boxes around the cells",
        licence="MIT",
        citation="github.com/Shenggan/BCCD_Dataset; types of white cells: github.com/apple2373/BCCD, commit 7751031",
        repository="Shenggan/BCCD_Dataset",
        commit="d272fb14cdff6e473fafeeeba32aba5f560e9e43",
        classes={name.capitalize(): name for name in _ZHENG["classes"].values()},
        field=2.4,
        boxes="624529299b5cce58",
    ),
}  # fmt: skip


@cache
def manifest():
    """The originals of all sets: set, path in the repository, bytes, SHA-256, and what the laboratory says it is.

    Returns
    -------
    pandas.DataFrame of str
    """
    return pd.read_csv(Path(__file__).with_name("other_labs_manifest.csv.xz"), dtype=str, keep_default_na=False)


def known(name):
    """The `Lab` of a name; another name is a `DataError`.

    Parameters
    ----------
    name : str

    Returns
    -------
    Lab
    """
    if name not in LABS:
        raise DataError(f"There is no set {name!r} of another laboratory; choose one of {', '.join(LABS)}.")
    return LABS[name]


def locate(name, path=None):
    """The folder or zip of a set; where there is none, a `DataError` says how to get it.

    Parameters
    ----------
    name : str
        One of `LABS`.
    path : path-like, optional
        Itself, or a folder that has it as ``<name>`` or ``<name>.zip``; default: `config.labs_dir`.

    Returns
    -------
    pathlib.Path
    """
    place = labs_dir() if path is None else Path(path)
    inside = [place / f"{called}{suffix}" for called in (name, known(name).alias or name) for suffix in ("", ".zip")]
    for found in inside if path is None else [*inside, place]:
        if found.is_file() or (found.is_dir() and any(found.iterdir())):
            return found
    advice = f"Fetch it with `bloodcell data fetch --set {name}`, or name its folder or zip"
    raise DataError(f"The set {name} is not in {place}. {advice} (BLOODCELL_LABS_DIR: the folder of all three).")


def index(name, path=None, *, of="white", classes=None, seed=SEED):
    """List the cells of a set.

    Parameters
    ----------
    name, path
        As for `locate`.
    of : {"white", "red", "empty"}
        White cells of a known class; of ``bccd`` also red cells (in tight windows), or a window of 240 px in each field
        where there is room for one without a white cell or a platelet.
    classes : dict of str to str, optional
        The course's class for folders of other names; such a name is never guessed.
    seed : int
        Of the places of empty windows.

    Returns
    -------
    pandas.DataFrame
        A row a cell: the picture's ``source``, ``path``, ``width``, ``height``, and ``sha256`` as published; ``class``
        (the course's, or empty); the box; ``field``, the side of its window in longer sides of the box.

    Raises
    ------
    DataError
        If pictures or boxes are missing, changed or there twice, or a folder is named for another class.
    """
    source, lab = locate(name, path), known(name)
    if of not in ("white", "red", "empty") or (of != "white" and not lab.boxes):
        raise DataError(f"The set {name} has no windows of {of!r}; of='white' are its white cells.")
    rows = manifest()[manifest()["set"] == name]
    rows = rows[rows["path"].str.endswith(pictures.SUFFIXES)]
    theirs = dict(zip(rows["sha256"], rows["class"].replace(lab.classes), strict=True))
    with _opened(source) as (names, read):
        found = [_picture(p, read(p), theirs) for p in names if archives.is_picture(f"x/{p}") and "-masks/" not in p]
        table = pd.DataFrame([row for row in found if row], columns=COLUMNS[1:6])
        wanted, there = Counter(rows["sha256"]), Counter(table["sha256"])
        if missing := (wanted - there).total() + (there - wanted).total():
            raise DataError(
                f"{source} is not the set {name} as published: of {len(rows)} pictures {missing} are missing, have "
                f"other pixels or are there twice. `bloodcell data fetch --set {name}` brings what is missing."
            )
        if lab.boxes:
            return _windows(table, _boxes(names, read, lab), of, seed).assign(source=str(source))[COLUMNS]
    said = {**lab.classes, **{folder: folder for folder in FOLDERS}, **(classes or {})}
    for picture, official in zip(table["path"], table["class"], strict=True):
        folder = PurePosixPath(picture).parent.name
        if folder not in ("", source.name, name, lab.alias) and not folder.startswith("Dataset "):
            if said.get(folder) != official:
                says = f"{folder!r}, where {picture} lies, is no class of {name} that is known as {official}"
                raise DataError(f"{says}. If it is the same, say so: classes={{{folder!r}: {official!r}}}.")
    table = table.assign(source=str(source), left=0, top=0, right=table["width"], bottom=table["height"])
    table = table.assign(field=lab.field)[COLUMNS]
    return table.sort_values("path", key=lambda paths: paths.str[-7:-4], ignore_index=True)  # 001 to 300


def images(table, size=128, field=None):
    """The windows of an index as one array.

    The cell stays in the middle, where the shipped network looks: a window that leaves its picture goes on with the
    picture's mirror image. A border of one colour would be something that no microscope shows.

    Parameters
    ----------
    table : pandas.DataFrame or str
        From `index`, or the name of a set.
    size : int
        Side of the result in pixels.
    field : float, optional
        Side of every window, in longer sides of its box; default: the column ``field``.

    Returns
    -------
    numpy.ndarray of uint8, shape (n, size, size, 3)
    """
    table = index(table) if isinstance(table, str) else table
    if field is not None and not 0 < field <= 10:
        raise DataError(f"field={field} must be above 0, and at most 10 longer sides of the box.")
    result = np.empty((len(table), size, size, 3), np.uint8)
    table = table.assign(field=table["field"] if field is None else field, number=range(len(table)))
    for source, here in table.groupby("source"):
        with _opened(Path(source)) as (_, read):
            for path, rows in here.groupby("path"):
                picture = pictures.decode(read(path), None, name=path)
                for row in rows.itertuples():
                    result[row.number] = _window(picture, row, size)
    return result


def fingerprint(table):
    """What a record says of the cells that were measured: the same for every copy of the same pixels.

    Parameters
    ----------
    table : pandas.DataFrame
        From `index`.

    Returns
    -------
    dict
        ``n_images`` and ``fingerprint``, as for the images of PBC.
    """
    cells = table[["class", *COLUMNS[5:10]]].itertuples(index=False, name=None)
    return {"n_images": len(table), "fingerprint": key(*sorted(" ".join(map(str, cell)) for cell in cells))}


@contextmanager
def _opened(source):
    """Yield the names of the files in a folder or zip, and a function from a name to the bytes."""
    if source.is_dir():
        names = sorted(path.relative_to(source).as_posix() for path in source.rglob("*") if not path.is_dir())
        yield names, lambda name: pictures.read(source / name)
        return
    try:
        archive = zipfile.ZipFile(source)
    except archives.DAMAGED as err:
        raise DataError(f"{source} is cut short, or neither a folder nor a zip ({err}).") from err
    with archive:
        members = {info.filename: info for info in archive.infolist() if not info.is_dir()}
        yield sorted(members), lambda name: archives.read_member(archive, members[name])


def _picture(path, data, theirs):
    """One row, without its box; None for what is no picture of the set."""
    from PIL import Image

    digest = hashlib.sha256(data).hexdigest()
    try:
        width, height = pictures.dimensions(data, path)
        if digest not in theirs:
            stream = io.BytesIO()
            Image.fromarray(pictures.decode(data, None, name=path)).save(stream, "BMP", dpi=(0, 0))
            bmp = stream.getvalue()
            for version in (bmp, bmp[:34] + bytes(4) + bmp[38:]):  # one original does not tell the size of its pixels
                digest = other if (other := hashlib.sha256(version).hexdigest()) in theirs else digest
    except DataError:
        return None
    return (path, theirs[digest], width, height, digest) if digest in theirs else None


def _boxes(names, read, lab):
    """A row a box, counted from 0 and without its last row and column: the field's name, the object, the corners."""
    lines = []
    for path in names:
        if path.endswith("boxes.csv"):
            lines += [tuple(line.split(",")[:6]) for line in read(path).decode("utf-8", "replace").split()[1:]]
        elif path.endswith(".xml"):
            text, stem = read(path).decode("utf-8", "replace"), PurePosixPath(path).stem
            lines += [(stem, *found) for found in re.findall(_BOX, text, re.S)]
    if key(*sorted(map(",".join, lines))) != lab.boxes:
        raise DataError("The boxes around the cells (boxes.csv, or XML files) are missing or changed; get them again.")
    table = pd.DataFrame(lines, columns=["stem", "object", *COLUMNS[6:10]])
    table[COLUMNS[6:10]] = table[COLUMNS[6:10]].astype(int) - [1, 1, 0, 0]
    return table


def _windows(table, boxes, of, seed):
    table = table.assign(stem=[PurePosixPath(path).stem for path in table["path"]]).sort_values("path")
    cells = table.merge(boxes, on="stem")
    white, red = cells["object"] == "WBC", cells["object"] == "RBC"
    if of == "white":
        return cells[white & (cells["class"] != "")].assign(field=LABS["bccd"].field).reset_index(drop=True)
    if of == "red":  # two boxes have no extent
        extended = (cells["right"] - cells["left"] > 1) & (cells["bottom"] - cells["top"] > 1)
        return cells[red & extended].assign(**{"class": "", "field": 1.0}).reset_index(drop=True)
    rows, rng, side = [], np.random.default_rng(seed), 240
    for field in table[(table["class"] == "") | table["stem"].isin(cells["stem"][white])].to_dict("records"):
        free = np.ones((field["height"] - side + 1, field["width"] - side + 1), bool)
        for cell in cells[(cells["stem"] == field["stem"]) & ~red].itertuples():
            free[max(0, cell.top - side + 1) : cell.bottom, max(0, cell.left - side + 1) : cell.right] = False
        if free.any():
            top, left = map(int, np.unravel_index(rng.choice(np.flatnonzero(free)), free.shape))
            box = {"left": left, "top": top, "right": left + side, "bottom": top + side}
            rows.append({**field, **box, "class": "", "field": 1.0})
    return pd.DataFrame(rows)


def _window(picture, row, size):
    from PIL import Image

    side = row.field * max(row.right - row.left, row.bottom - row.top)
    left, top = (row.left + row.right - side) / 2, (row.top + row.bottom - side) / 2
    pad = int(np.ceil(max(0, -left, -top, left + side - picture.shape[1], top + side - len(picture))))
    image = Image.fromarray(np.pad(picture, [(pad, pad), (pad, pad), (0, 0)], mode="symmetric"))
    box = (left + pad, top + pad, left + pad + side, top + pad + side)
    return np.asarray(image.resize((size, size), Image.Resampling.BILINEAR, box))
