"""Read blood cells with the network that came with this package: no data set, no download, no training.

The network has seen only the eight kinds of cells of one laboratory. It gives no name where its confidence, calibrated
on images that it was not trained on, is low, and where a picture is stranger than almost all of these images are.
"""

import io
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from . import shipped
from .calibration import softmax, strangeness
from .cells import FOLDERS
from .compact import IMAGE, VIEW
from .datasets.loading import decode, resize
from .datasets.pbc import IMAGE_SUFFIXES
from .errors import BloodcellError, DataError
from .store import replace_file

SUFFIXES = IMAGE_SUFFIXES | {".gif", ".webp"}
UNSURE = "unsure or none of the eight"
EXPLAINED = "block2"  # 6 x 6 places; the last block has but 3 x 3


def predict(images, crop=1.0, threshold=None, progressbar=False):
    """Which of the eight kinds of cells is in the middle of each image?

    Parameters
    ----------
    images : path-like, numpy.ndarray, or list of these
        Image files of any size and mode, folders of them (with their sub-folders), or arrays of levels 0-255, shape
        (height, width), (height, width, 3) or (n, height, width, 3).
    crop : float
        Central part of the shorter side that is looked at, in (0, 1]. The network knows fields that are about twice as
        wide as a white cell: crop wider ones.
    threshold : float, optional
        Least confidence for a name, in [0, 1]; default: the one that was chosen on validation images. 0 names all that
        can be read, however strange.
    progressbar : bool

    Returns
    -------
    pandas.DataFrame
        A row an image: ``image`` (its path or number), ``answer`` (a class, or `UNSURE`), ``confidence`` (of the most
        probable class, calibrated), ``strangeness`` (above 1 for what is none of the eight, or from elsewhere), and the
        probability of each class. A file that cannot be read has the ``answer`` ``"unreadable"`` and the reason in
        ``problem``, which is empty otherwise.

    Raises
    ------
    BloodcellError
        If there is no image, or an array has the wrong shape.
    """
    import pandas as pd

    if not 0 < crop <= 1 or not 0 <= (threshold or 0) <= 1:
        raise BloodcellError(f"crop={crop} must be in (0, 1] and threshold={threshold} in [0, 1].")
    items = _items(images)
    names = [name for name, _ in items]
    problems, seen = [""] * len(items), np.full((len(items), len(FOLDERS) + 1), np.nan)
    for start, pictures in _batches(items, crop, progressbar):
        good = [i for i, picture in enumerate(pictures) if isinstance(picture, np.ndarray)]
        for i, picture in enumerate(pictures):
            problems[start + i] = "" if i in good else str(picture)
        if good:
            seen[[start + i for i in good]] = np.column_stack(look(np.stack([pictures[i] for i in good])))
    return pd.DataFrame({"image": names, **_answers(seen[:, :-1], seen[:, -1], threshold), "problem": problems})


def look(pictures):
    """What the network says of prepared images.

    Parameters
    ----------
    pictures : numpy.ndarray of uint8, shape (n, 128, 128, 3)

    Returns
    -------
    probabilities : numpy.ndarray of float64, shape (n, 8)
        Calibrated.
    strangeness : numpy.ndarray of float64, shape (n,)
        Above 1 where an image is stranger than 99.5 % of the validation images.
    """
    card, weights = shipped.card(), shipped.weights()
    scores, features = shipped.logits(pictures)
    distance = strangeness(features, weights["means"], weights["whitening"])
    return softmax(scores / card["temperature"]), distance / card["limit"]


def warmed(picture, model):
    """An image with the places that speak for its most probable class (Grad-CAM) in warm colours.

    Parameters
    ----------
    picture : numpy.ndarray of uint8, shape (128, 128, 3)
    model : keras.Model
        From `shipped.network`.

    Returns
    -------
    numpy.ndarray of uint8, shape (128, 128, 3)
    """
    from matplotlib import colormaps
    from PIL import Image

    from .explain import grad_cam

    heat = grad_cam(model, picture[None].astype(np.float32), layer=EXPLAINED)[0]
    inner = np.asarray(Image.fromarray(heat).resize((VIEW, VIEW)))  # the network's maps are of the centre alone
    heat = np.pad(inner, (IMAGE - VIEW) // 2)
    share, colored = 0.6 * heat[..., None], 255 * colormaps["inferno"](heat)[..., :3]
    return (picture * (1 - share) + colored * share).astype(np.uint8)


def explain(table, folder, crop=1.0):
    """Write each image with the places that speak for its most probable class (Grad-CAM); loads Keras.

    Parameters
    ----------
    table : pandas.DataFrame
        From `predict`, of image files.
    folder : path-like
        Gets a PNG an image.
    crop : float
        As it was for `predict`.

    Returns
    -------
    list of pathlib.Path
    """
    read = table[table["problem"] == ""]
    folder, written, model = Path(folder), [], shipped.network() if len(read) else None
    for number, name, answer in zip(read.index, read["image"], read["answer"], strict=True):
        picture = decode(Path(name).read_bytes(), IMAGE, crop, name, reduced=True, strict=False)
        path = folder / f"{Path(name).stem}-{number}-{answer.split()[0]}.png"
        replace_file(path, _png(np.hstack([picture, warmed(picture, model)])))
        written.append(path)
    return written


def text(table):
    """Answers for a terminal, a line an image, the most probable classes beside it.

    Parameters
    ----------
    table : pandas.DataFrame
        From `predict`.

    Returns
    -------
    str
    """
    width = max(map(len, table["image"]))
    lines = []
    for _, row in table.iterrows():
        guesses = sorted(FOLDERS, key=lambda name: -row[name])[:3]
        seen = "" if row["problem"] else "  ".join(f"{name} {100 * row[name]:.1f} %" for name in guesses)
        lines.append(f"{row['image']:<{width}}  {row['answer']:<{len(UNSURE)}}  {seen}".rstrip())
    return "\n".join(lines)


def summary(table):
    """How many images got which answer.

    Parameters
    ----------
    table : pandas.DataFrame
        From `predict`.

    Returns
    -------
    str
    """
    counts = table["answer"].value_counts()
    return "\n".join(f"{count:>7,}  {answer}" for answer, count in counts.items())


def _png(picture):
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(picture).resize((3 * picture.shape[1], 3 * picture.shape[0])).save(stream, "PNG")
    return stream.getvalue()


def _answers(probabilities, strange, threshold):
    """The columns of a table: answer, confidence, strangeness, a probability a class."""
    confidence = probabilities.max(axis=1)
    threshold = shipped.card()["threshold"] if threshold is None else threshold
    sure = (confidence >= threshold) & ((strange <= 1) | (threshold == 0))
    names = np.array(FOLDERS, object)[np.nan_to_num(probabilities).argmax(axis=1)]
    answer = np.where(np.isnan(confidence), "unreadable", np.where(sure, names, UNSURE))
    columns = dict(zip(FOLDERS, probabilities.T, strict=True))
    return {"answer": answer, "confidence": confidence, "strangeness": strange, **columns}


def _items(images):
    """(name, file or array) of each image; folders opened, in the order of their names."""
    if isinstance(images, (str, Path)) or (isinstance(images, np.ndarray) and images.ndim < 4):
        images = [images]
    items = []
    for image in images:
        if isinstance(image, (str, Path)):
            items += [(str(path), path) for path in _files(Path(image))]
        else:
            items.append((str(len(items)), _levels(image)))
    if not items:
        raise BloodcellError("There is no image to read.")
    return items


def _files(path):
    if not os.path.isdir(path):  # Path.is_dir raises where a folder on the way is closed to us
        return [path]
    inside = (p.relative_to(path) for p in path.rglob("*") if p.suffix.lower() in SUFFIXES)
    found = sorted(path / p for p in inside if not any(part.startswith(".") for part in p.parts))
    if not found:
        raise BloodcellError(f"There is no image in {path} ({', '.join(sorted(SUFFIXES))}).")
    return found


def _levels(image):
    image = np.asarray(image)
    if image.ndim == 2:
        image = np.stack([image] * 3, axis=-1)
    if image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape or image.dtype.kind not in "uif":
        raise BloodcellError(
            f"An image is an array of levels 0-255, (height, width, 3) or (height, width), not {image.dtype} "
            f"{image.shape}."
        )
    low, high = float(image.min()), float(image.max())
    if not 0 <= low <= high <= 255 or low < high <= 1:
        raise BloodcellError(f"Levels are from 0 to 255; these go from {low:g} to {high:g}: scale them first.")
    return image.astype(np.uint8)


def _batches(items, crop, progressbar):
    """Prepared images, a batch at a time and decoded in parallel, each an array or the error that came instead."""
    from tqdm import tqdm

    def prepare(item):
        name, image = item
        try:
            if isinstance(image, np.ndarray):
                return resize(image, IMAGE, crop)
            return decode(image.read_bytes(), IMAGE, crop, name, reduced=True, strict=False)
        except (DataError, OSError) as err:
            return err

    with ThreadPoolExecutor(os.cpu_count()) as pool, tqdm(total=len(items), unit="img", disable=not progressbar) as bar:
        coming = pool.map(prepare, items[: shipped.BATCH])
        for start in range(0, len(items), shipped.BATCH):
            pictures = list(coming)
            coming = pool.map(prepare, items[start + shipped.BATCH : start + 2 * shipped.BATCH])  # while these are read
            yield start, pictures
            bar.update(len(pictures))
