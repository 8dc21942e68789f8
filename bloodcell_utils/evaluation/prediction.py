"""Name blood cells with the networks that came with this package: no data set, no download, no training.

Two networks are asked: one that has seen the cells of one laboratory as they are, and one that was trained on what they
may look like elsewhere, and on pictures that are no cells. They give no name where their confidence, calibrated on
images that they were not trained on, is low, nor where a picture is stranger than almost all of those images.
"""

import glob
import io
import os
from concurrent.futures import ThreadPoolExecutor
from itertools import compress
from pathlib import Path

import numpy as np

from ..cells import FOLDERS
from ..datasets import pictures
from ..datasets.pictures import SUFFIXES, decode, resize
from ..errors import BloodcellError, DataError
from ..files import replace_file
from ..models import pretrained
from ..models.compactnet_input import IMAGE, VIEW
from ..models.pretrained import TRAVELLED
from . import adaptation
from .calibration import mahalanobis_distance, softmax
from .contract import remarks

LEAST_CROP = 0.01
UNSURE = "unsure or none of the eight"
TINY = 1e-12
EXPLAINED = "block2"  # 6 x 6 places; the last block has only 3 x 3


def predict(images, crop=1.0, threshold=None, *, adapted=None, progressbar=False):
    """Name the cell in the middle of each image: one of the eight kinds, or `UNSURE`.

    Parameters
    ----------
    images : path-like, numpy.ndarray, PIL.Image.Image, or list of these
        Image files of any size and mode, folders of them (with their sub-folders), or arrays of levels 0-255 in RGB,
        shape (height, width), (height, width, 3) or (n, height, width, 3).
    crop : float
        Central part of the shorter side to look at, in (0, 1]. The network knows fields that are between two and three
        times as wide as a white cell: crop wider ones.
    threshold : float, optional
        Least confidence for a name, in [0, 1]; default: the one that was chosen on validation images. 0 names every
        image that can be read, however strange.
    adapted : path-like or adaptation.Adaptation, optional
        What ``bloodcell adapt`` learnt from cells of the same laboratory.
    progressbar : bool

    Returns
    -------
    pandas.DataFrame
        A row for each image: ``image`` (its path or number), ``answer`` (a class, or `UNSURE`), ``confidence`` (of the
        most probable class, calibrated), ``strangeness`` (above 1 for what is none of the eight, or from elsewhere),
        the probability of each class, and a ``note`` where a picture without a name breaks what the network must be
        given (`contract`). A file that cannot be read has the ``answer`` ``"unreadable"`` and the reason in
        ``problem``, which is empty otherwise.

    Raises
    ------
    BloodcellError
        If there is no image, or an array has the wrong shape.
    """
    import pandas as pd

    _check_numbers(crop, threshold)
    threshold = pretrained.metadata(TRAVELLED)["threshold"] if threshold is None else threshold
    if adapted is not None and not isinstance(adapted, adaptation.Adaptation):
        adapted = adaptation.load(adapted)

    def read(pictures):
        answered = predict_proba(pictures, adapted)
        return *answered, gets_name(*answered, threshold)

    items, problems, notes, seen = _items(images), [], [], []
    for batch in _batches(items, crop, progressbar):
        good = [isinstance(picture, np.ndarray) for picture in batch]
        problems += ["" if fine else str(err) for fine, err in zip(good, batch, strict=True)]
        seen.append(np.full((len(batch), len(FOLDERS) + 1), np.nan))
        said = np.full(len(batch), "", object)
        if any(good):
            pictures = np.stack(list(compress(batch, good)))
            *answers, named = read(pictures)
            seen[-1][good] = np.column_stack(answers)
            said[good] = remarks(pictures, ~named, lambda others: read(others)[2], crop=crop)
        notes += list(said)
    seen = np.concatenate(seen)
    probabilities, strangeness = seen[:, :-1], seen[:, -1]
    confidence, sure = probabilities.max(axis=1), gets_name(probabilities, strangeness, threshold)
    names = np.array(FOLDERS, object)[np.nan_to_num(probabilities).argmax(axis=1)]
    answer = np.where(np.isnan(confidence), "unreadable", np.where(sure, names, UNSURE))
    table = {"image": [name for name, _ in items], "answer": answer, "confidence": confidence}
    table |= {"strangeness": strangeness, **dict(zip(FOLDERS, probabilities.T, strict=True))}
    table |= {"note": notes, "problem": problems}
    return pd.DataFrame(table)


def gets_name(probabilities, strangeness, threshold):
    """Which pictures are named: those that are sure enough and not strange; with a threshold of 0 all.

    Parameters
    ----------
    probabilities : numpy.ndarray, shape (n, 8)
    strangeness : numpy.ndarray, shape (n,)
    threshold : float

    Returns
    -------
    numpy.ndarray of bool, shape (n,)
    """
    return (probabilities.max(axis=1) >= threshold) & ((strangeness <= 1) | (threshold == 0))


def prepare(images, crop=1.0, *, progressbar=False):
    """Images as `predict` shows them to the network.

    Parameters
    ----------
    images, crop, progressbar
        As for `predict`.

    Returns
    -------
    pictures : numpy.ndarray of uint8, shape (n, 128, 128, 3)
    kept : numpy.ndarray of int, shape (n,)
        Which of the images could be read.
    problems : list of str
        Why the others could not.
    """
    _check_numbers(crop)
    found = [picture for batch in _batches(_items(images), crop, progressbar) for picture in batch]
    kept = np.flatnonzero([isinstance(picture, np.ndarray) for picture in found])
    read = np.array([found[i] for i in kept], np.uint8).reshape(-1, IMAGE, IMAGE, 3)
    return read, kept, [str(err) for err in found if not isinstance(err, np.ndarray)]


def predict_proba(pictures, adapted=None, folder=TRAVELLED):
    """The probabilities of both networks for prepared images, and how strange these are to the one that travelled.

    Their calibrated scores are averaged. Where the colours are not those of home, or were adapted, the network that
    travelled answers alone.

    Parameters
    ----------
    pictures : numpy.ndarray of uint8, shape (n, 128, 128, 3)
    adapted : adaptation.Adaptation, optional
    folder : path-like
        Of the weights of the network that travelled.

    Returns
    -------
    probabilities : numpy.ndarray of float64, shape (n, 8)
        Calibrated.
    strangeness : numpy.ndarray of float64, shape (n,)
        As from `judge`.
    """
    if adapted is not None:
        layer = {"logits/kernel": adapted.kernel, "logits/bias": adapted.bias}
        return judge(*pretrained.logits(adapted.match(pictures), folder, layer), folder)
    probabilities, strangeness = judge(*pretrained.logits(pictures, folder), folder)
    here = adaptation.colour_distance(pictures, folder) <= 1
    scores = pretrained.logits(pictures[here])[0] / pretrained.metadata()["temperature"]
    probabilities[here] = softmax((scores + np.log(np.maximum(probabilities[here], TINY))) / 2)
    return probabilities, strangeness


def judge(scores, features, folder=TRAVELLED):
    """Probabilities and strangeness by the network that travelled.

    Parameters
    ----------
    scores, features : numpy.ndarray
        From `pretrained.logits`.
    folder : path-like
        Of its weights.

    Returns
    -------
    probabilities : numpy.ndarray of float64, shape (n, 8)
        Calibrated.
    strangeness : numpy.ndarray of float64, shape (n,)
        Above 1 where either its features or its ninth score are stranger than those of 99.8 % of the validation images.
    """
    card, weights = pretrained.metadata(folder), pretrained.weights(folder)
    distance = mahalanobis_distance(features, weights["means"], weights["whitening"])
    none = none_share(scores, pretrained.none_score(features, folder), card["temperature"])
    strangeness = np.maximum(distance / card["limit"], none / card["none_limit"])
    return softmax(scores / card["temperature"]), strangeness


def none_share(scores, none, temperature):
    """The probability that a picture is none of the eight, by the network's nine scores.

    Parameters
    ----------
    scores : numpy.ndarray, shape (n, 8)
    none : numpy.ndarray, shape (n,)
    temperature : float

    Returns
    -------
    numpy.ndarray of float64, shape (n,)
    """
    return softmax(np.column_stack([scores, none]) / temperature)[:, -1]


def overlay_heatmap(picture, model, class_index=None):
    """An image with the places that speak for a class in warm colours (Grad-CAM).

    Parameters
    ----------
    picture : numpy.ndarray of uint8, shape (128, 128, 3)
    model : keras.Model
        From `pretrained.network`.
    class_index : int, optional
        Default: the model's own answer.

    Returns
    -------
    numpy.ndarray of uint8, shape (128, 128, 3)
    """
    from matplotlib import colormaps
    from PIL import Image

    from .explain import grad_cam

    heat = grad_cam(model, picture[None].astype(np.float32), class_index, layer=EXPLAINED)[0]
    inner = np.asarray(Image.fromarray(heat).resize((VIEW, VIEW)))  # the network's maps are of the centre alone
    heat = np.pad(inner, (IMAGE - VIEW) // 2)
    share, colored = 0.6 * heat[..., None], 255 * colormaps["inferno"](heat)[..., :3]
    return (picture * (1 - share) + colored * share).astype(np.uint8)


def explain(table, folder, crop=1.0):
    """Write each image beside the places that speak for its most probable class; loads Keras.

    They are those of the network that stayed at home (`overlay_heatmap`), whoever gave the answer.

    Parameters
    ----------
    table : pandas.DataFrame
        From `predict`, of image files.
    folder : path-like
        Gets a PNG for each image.
    crop : float
        As for `predict`.

    Returns
    -------
    list of pathlib.Path
    """
    from PIL import Image

    read = table[table["problem"] == ""]
    folder, written, model = Path(folder), [], pretrained.network() if len(read) else None
    best = read[list(FOLDERS)].to_numpy(float).argmax(axis=1)
    for number, name, answer, kind in zip(read.index, read["image"], read["answer"], best, strict=True):
        picture = decode(pictures.read(name), IMAGE, crop, name=name, reduced=True, strict=False)
        path = folder / f"{os.fsencode(Path(name).stem)[:60].decode(errors='ignore')}-{number}-{answer.split()[0]}.png"
        stream = io.BytesIO()
        pair = Image.fromarray(np.hstack([picture, overlay_heatmap(picture, model, kind)]))
        pair.resize((3 * pair.width, 3 * pair.height)).save(stream, "PNG")
        replace_file(path, stream.getvalue())
        written.append(path)
    return written


def image_files(path):
    """The pictures that a path stands for.

    Parameters
    ----------
    path : path-like
        A file, whatever it is; a folder, whose pictures are looked for at every depth; or a pattern, ``cells/*.jpg``.

    Returns
    -------
    list of pathlib.Path
        Sorted; hidden files and those in hidden folders left out.

    Raises
    ------
    BloodcellError
        If there is none, or a folder may not be opened.
    """
    if not os.fspath(path):
        raise BloodcellError("The name of an image is empty.")
    if not os.path.lexists(path) and glob.has_magic(os.fspath(path)):
        if found := sorted(glob.glob(os.fspath(path))):
            return [file for one in found for file in image_files(one)]
    path = Path(os.fsdecode(path))
    if not os.path.isdir(path):  # Path.is_dir raises where a folder on the way may not be opened
        return [path]

    def refuse(err):
        raise BloodcellError(f"{err.filename} may not be opened ({err.strerror}): its images would be missing.")

    found = []
    been = set()
    for folder, below, files in os.walk(path, onerror=refuse, followlinks=True):
        below[:] = [name for name in below if not name.startswith(".")]
        if (real := os.path.realpath(folder)) in been:  # a link back to where it came from
            below[:] = []
            continue
        been.add(real)
        shown = (name for name in files if name.lower().endswith(SUFFIXES) and not name.startswith("."))
        found += [Path(folder, name) for name in shown]
    if not found:
        raise BloodcellError(f"There is no image in {path} ({', '.join(sorted(SUFFIXES))}).")
    return sorted(found)


def _check_numbers(crop, threshold=None):
    numbers = [value for value in (crop, threshold) if value is not None]
    if crop is None or not all(isinstance(value, (int, float, np.number)) for value in numbers):
        raise BloodcellError(f"crop={crop!r} and threshold={threshold!r} must be numbers.")
    if not LEAST_CROP <= crop <= 1 or not 0 <= (threshold or 0) <= 1:
        raise BloodcellError(f"crop={crop} must be from {LEAST_CROP} to 1, and threshold={threshold} from 0 to 1.")


def _items(images):
    """(name, file or array) of each image; folders opened, in the order of their names."""
    if isinstance(images, (str, bytes, os.PathLike)) or getattr(images, "ndim", 4) < 4 or hasattr(images, "getpalette"):
        images = [images]
    try:
        images = list(images)
    except TypeError as err:
        raise BloodcellError(f"predict takes files, folders and arrays, not {type(images).__name__}.") from err
    items = []
    for image in images:
        if isinstance(image, (str, bytes, os.PathLike)):
            items += [(str(path), path) for path in image_files(image)]
        else:
            items.append((str(len(items)), pictures.levels(image)))
    if not items:
        raise BloodcellError("There is no image to read.")
    return items


def _batches(items, crop, progressbar):
    """Prepared images, a batch at a time and decoded in parallel, each an array or the error that came instead."""
    from tqdm import tqdm

    def prepare(item):
        name, image = item
        try:
            if isinstance(image, np.ndarray):
                return resize(image, IMAGE, crop)
            return decode(pictures.read(image), IMAGE, crop, name=name, reduced=True, strict=False)
        except DataError as err:
            return err

    with ThreadPoolExecutor(os.cpu_count()) as pool, tqdm(total=len(items), unit="img", disable=not progressbar) as bar:
        coming = pool.map(prepare, items[: pretrained.BATCH])
        for start in range(0, len(items), pretrained.BATCH):
            batch = list(coming)
            following = items[start + pretrained.BATCH : start + 2 * pretrained.BATCH]
            coming = pool.map(prepare, following)  # decoded while the network reads these
            yield batch
            bar.update(len(batch))
