"""Profiles, seeds and folders: every choice that depends on the reader's machine, in one place."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

import platformdirs

from .errors import BloodcellError

SEED = 2019  # for every split and every training, unless another is asked for


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """How a profile fine-tunes a network; the defaults are the paper's.

    Attributes
    ----------
    size : int or None
        Side of the images in pixels; None takes the size that the network was published with. VGG-16 halves the side
        five times and drops what is left over: with a multiple of 32 it sees all of the image.
    crop : float
        Central part of the image that the network looks at, in (0, 1].
    blocks : int
        Last blocks that train, with the head.
    head : tuple of int or None
    pooling : str or None
        As for `backbones.classifier`.
    images_per_class : int or None
        Training images after balancing; None takes every training image as it is.
    symmetries : int
        Versions of each image (of the eight symmetries of a square) that the cached prefix holds. 0 trains from the
        pixels, augmented anew in every epoch.
    epochs, batch_size, learning_rate, schedule
        As for `training.Settings`.
    head_epochs : int
        Epochs in which the head alone trains first, so that what the blocks know is not washed away by the errors of a
        head that knows nothing yet.
    """

    size: int | None = None
    crop: float = 1.0
    blocks: int = 4
    head: tuple[int, ...] | None = None
    pooling: str | None = None
    images_per_class: int | None = 4096
    symmetries: int = 0
    epochs: int = 100
    batch_size: int = 64
    learning_rate: float = 1e-4
    schedule: str = "constant"
    head_epochs: int = 0


@dataclass(frozen=True, kw_only=True)
class Grid:
    """The part of the paper's Table 3 that a profile can afford.

    Attributes
    ----------
    images_per_class, blocks : tuple of int or None
        Rows and columns; None takes the paper's.
    again : tuple of (int, int)
        Images a class and blocks of the settings that are trained again with other seeds.
    seeds : int
        Of those, in all.
    epochs, head_epochs : int
        As in `Tuning`.
    shown : int or None
        Images of every class that an epoch shows, so that every network trains for as many steps: one with fewer images
        sees each more often. None shows every image once, so that one with fewer images trains for a shorter time.
    """

    images_per_class: tuple[int, ...] | None = None
    blocks: tuple[int, ...] | None = None
    again: tuple[tuple[int, int], ...] = ((1024, 2),)
    seeds: int = 2
    epochs: int = 100
    head_epochs: int = 0
    shown: int | None = None


@dataclass(frozen=True, kw_only=True)
class Compact:
    """How long a profile trains CompactNet.

    Attributes
    ----------
    short, long, longest, best, travelled : int
        Epochs of five trainings.
    seeds : int
        Networks of the first three.
    few : tuple of (int, int)
        Training images a class, and networks, for the learning curve.
    few_steps : int
        Batches that each network of the learning curve sees.
    """

    short: int = 3
    long: int = 6
    longest: int = 26
    best: int = 30
    travelled: int = 24
    seeds: int = 3
    few: tuple[tuple[int, int], ...] = ((64, 1), (256, 3), (1024, 1))
    few_steps: int = 1500


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """How much a profile draws for the comparison of drawn cells with real ones.

    Attributes
    ----------
    per_class : int
        Drawn cells of each class; one in ten is for validation.
    epochs : int
        How long a network trains on them.
    compared : int
        Cells of each kind and class whose features are compared.
    """

    per_class: int = 900
    epochs: int = 8
    compared: int = 100


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What a run uses; the code reads these values and never asks where it is running.

    Attributes
    ----------
    name : {"sample", "laptop", "workstation", "full"}
    data : {"synthetic", "pbc"}
        Cells drawn on the spot, or the real archive.
    weights : {"random", "imagenet"}
        Of VGG-16 and Inception-v3; random ones are seeded and need no download.
    borrowed : str
        The network that the chapters borrow and tune, one that has learnt (`weights_of`).
    backbones : tuple of str
        The paper's networks that this profile can afford.
    image_size : int
        Side of the square images shown and drawn from, in pixels.
    crop : float
        Central part of the image that features look at, in (0, 1].
    feature_size : int or None
        Side of a network's input in pixels; None takes the size that the network was published with.
    pca : int or None
        Components kept of the last block's features before the SVM; None keeps all.
    siblings : tuple of int
        Source images a class and versions of each, for the leakage experiment.
    seeds : int
        Networks that are fine-tuned as `tuning` says, each with its own.
    tuning, small : Tuning
        For fine-tuning, and for experiments that train many networks to compare them: fewer pixels, fewer images.
    natural : int or None
        Training images, in the proportions of the PBC data set, that the experiment on class balance starts from; None
        takes all.
    grid : Grid
        For the ablation; its networks are trained as `small` says.
    compact : Compact
    drawn : Drawn
    """

    name: str
    data: str
    weights: str = "imagenet"
    borrowed: str = "vgg16"
    backbones: tuple[str, ...] = ("vgg16",)
    image_size: int = 128
    crop: float = 1.0
    feature_size: int | None = None
    pca: int | None = None
    siblings: tuple[int, int] = (1024, 4)
    seeds: int = 1
    tuning: Tuning = Tuning()
    small: Tuning = Tuning()
    natural: int | None = None
    grid: Grid = Grid()
    compact: Compact = Compact()
    drawn: Drawn = Drawn()

    def weights_of(self, backbone):
        """The weights that a network has on this profile: CompactNet's came with the package (``"pbc"``)."""
        return "pbc" if backbone == "compactnet" else self.weights


PROFILES = {
    p.name: p
    for p in (
        Profile(
            name="sample", data="synthetic", weights="random", borrowed="compactnet", crop=0.75, feature_size=64,
            pca=64, siblings=(12, 4), natural=120,
            tuning=Tuning(
                size=64, crop=0.75, blocks=1, head=(64,), images_per_class=None, symmetries=1, epochs=3, batch_size=32,
                learning_rate=3e-5, schedule="cosine", head_epochs=40,
            ),
            small=Tuning(
                size=32, crop=0.75, blocks=1, head=(64,), images_per_class=32, symmetries=1, epochs=2, batch_size=32,
                schedule="cosine", head_epochs=20,
            ),
            grid=Grid(
                images_per_class=(4, 16), blocks=(1, 2), again=((4, 1),), epochs=1, head_epochs=20, shown=16
            ),
            compact=Compact(
                short=4, long=12, longest=20, best=20, travelled=20, seeds=1, few=((4, 1), (16, 2)), few_steps=60
            ),
            drawn=Drawn(per_class=20, epochs=2, compared=10),
        ),
        Profile(
            name="laptop", data="pbc", crop=0.8, feature_size=144, pca=400, siblings=(128, 4), natural=1500,
            tuning=Tuning(
                size=64, crop=0.6, blocks=2, head=(256,), images_per_class=None, symmetries=2, epochs=2,
                learning_rate=2e-4, schedule="cosine", head_epochs=15,
            ),
            small=Tuning(
                size=32, crop=0.6, blocks=1, head=(256,), images_per_class=256, symmetries=1, epochs=4, batch_size=32,
                learning_rate=2e-4, schedule="cosine", head_epochs=15,
            ),
            grid=Grid(
                images_per_class=(256, 512, 1024), blocks=(1, 2), again=((512, 1),), epochs=1, head_epochs=15,
                shown=1024,
            ),
        ),
        Profile(  # two cores and patience, no GPU
            name="workstation", data="pbc", crop=0.8, pca=400, siblings=(128, 4), seeds=2,
            tuning=Tuning(
                size=96, crop=0.7, blocks=4, head=(256,), images_per_class=None, epochs=8, schedule="cosine",
                head_epochs=15,
            ),
            small=Tuning(
                size=64, crop=0.6, blocks=2, head=(256,), symmetries=1, epochs=8, schedule="cosine", head_epochs=15
            ),
            grid=Grid(again=((512, 1), (4096, 1)), seeds=3, epochs=8, head_epochs=15, shown=1024),
        ),
        Profile(name="full", data="pbc", backbones=("vgg16", "inception_v3"), image_size=224),
    )
}  # fmt: skip


def profile(name=None, **changes):
    """The profile to run with; an unknown name is a `BloodcellError`.

    Parameters
    ----------
    name : str, optional
        One of `PROFILES`; default: the environment variable ``BLOODCELL_PROFILE``, else ``"sample"``.
    **changes
        Fields of `Profile` to replace, for example ``feature_size=96``.

    Returns
    -------
    Profile
    """
    name = name or os.environ.get("BLOODCELL_PROFILE") or "sample"
    if name not in PROFILES:
        raise BloodcellError(f"There is no profile {name!r}; choose one of {', '.join(PROFILES)}.")
    return replace(PROFILES[name], **changes)


def cache_dir():
    """Folder for everything that can be computed again: ``BLOODCELL_CACHE_DIR``, else the user's cache folder.

    Where the first is there and may only be read, as a class shares it, what is new goes to the second; see `cached`.
    """
    own = platformdirs.user_cache_path("bloodcell")
    folder = _folder("BLOODCELL_CACHE_DIR", own)
    return own if folder.is_dir() and not os.access(folder, os.W_OK) else folder


def cached(name):
    """A file or folder of the cache, by its name in it: where it is, or else where it is to be written.

    Parameters
    ----------
    name : str

    Returns
    -------
    pathlib.Path
        In ``BLOODCELL_CACHE_DIR`` if it is there already, even if that may only be read; else in `cache_dir`.
    """
    there = _folder("BLOODCELL_CACHE_DIR", cache_dir()) / name
    return there if there.exists() else cache_dir() / name


def data_dir():
    """Folder that holds the PBC data set, unpacked or as its zip (``BLOODCELL_DATA_DIR``, else inside the cache)."""
    return _folder("BLOODCELL_DATA_DIR", cached("data"))


def labs_dir():
    """Folder that holds the sets of other laboratories (``BLOODCELL_LABS_DIR``, else inside the cache)."""
    return _folder("BLOODCELL_LABS_DIR", cached("other_labs"))


def weights_dir():
    """Folder that holds ImageNet weights (``BLOODCELL_WEIGHTS_DIR``, else inside the cache)."""
    return _folder("BLOODCELL_WEIGHTS_DIR", cached("weights"))


def results_dir():
    """Folder of run records.

    ``BLOODCELL_RESULTS_DIR``, else ``book/results`` of this checkout, else the records that came with the package.
    """
    here = Path(__file__).parent
    checkout = here.parent / "book" / "results"
    return _folder("BLOODCELL_RESULTS_DIR", checkout if checkout.is_dir() else here / "results")


def progress_file():
    """File of what the learner has solved (``BLOODCELL_PROGRESS_FILE``, else in the user's data folder)."""
    return _folder("BLOODCELL_PROGRESS_FILE", platformdirs.user_data_path("bloodcell") / "progress.json")


def _folder(variable, default):
    value = os.environ.get(variable)
    try:
        return Path(value).expanduser().resolve() if value else Path(default)
    except (OSError, RuntimeError, ValueError) as err:
        raise BloodcellError(f"{variable} is {value!r}, which is no folder here: {err}") from err
