"""Experiments: each module of `EXPERIMENTS` has a ``run`` that measures and returns a record.

``record.write()`` keeps it.

All of them take the same parameters, as far as they apply:

``profile``      a `config.Profile`: which images, which networks, for how long
``backbone``     ``"vgg16"``, ``"inception_v3"`` or ``"compactnet"``; default: the one that the profile borrows
``seed``         of everything that is trained or drawn; of several trainings, of the first, and the others count on
``split_seed``   of the split into subsets: trainings with several seeds are tested on the same images
``progressbar``  draw progress bars, and print a line for each model

``records``      what was measured, kept as json; ``provenance``, where and with what
``tasks``        the settings of a grid, each computed once, in one process or many
"""

from importlib import import_module
from inspect import signature

import lazy_loader

from ..errors import BloodcellError

EXPERIMENTS = {
    "svm": "frozen features and a support vector machine (the paper's first design)",
    "control": "a network that has learnt nothing, colours alone, and both under another lamp",
    "parts": "which part of the picture, and which block of the network, the answers come from",
    "finetune": "the last blocks trained on blood cells (the paper's second design)",
    "ablation": "how many images a class, how many trained blocks (the paper's Table 3)",
    "balance": "balanced against unbalanced training, one change at a time",
    "determinism": "whether two runs with one seed give the same record, and what that costs",
    "compact": "a small network trained from nothing, briefly and longer (beyond the paper)",
    "compact_few": "how many images the small network needs, and what a second batch does to it",
    "compact_best": "the small network with patience, calibrated: the weights that are shipped",
    "travelled": "a second one, trained on looks of other laboratories and on pictures of no cell; both together",
    "drawn": "what is learnt on drawn cells, on real ones, and the reverse",
    "counterfactuals": "what the shipped network decides by: parameters of drawn cells, attributes of real ones",
    "strangers": "what the shipped networks name that is none of the eight, and kinds that were left out of a training",
    "calibration": "how far confidence holds (of the network that travelled), at home and elsewhere; promised sets",
    "differential": "what recorded answers make of a hundred cells, plain and corrected by the confusion matrix",
    "label_noise": "wrong names: learnt from, measured with, asked again; and other words for the same cells",
    "shift": "the shipped networks in other laboratories, and how far their pictures are from those at home",
    "adapt": "what colours, batch normalisation's averages and a few names give the network that travelled there",
}

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submodules=[*EXPERIMENTS, "tasks"], submod_attrs={
    "records": ["compare_with_paper", "find_record", "load_record", "record_rows"],
})  # fmt: skip


def module(name):
    """The module of an experiment.

    Parameters
    ----------
    name : str
        One of `EXPERIMENTS`.

    Returns
    -------
    module

    Raises
    ------
    BloodcellError
        For an unknown name.
    """
    if name not in EXPERIMENTS:
        raise BloodcellError(f"There is no experiment {name!r}; choose one of {', '.join(EXPERIMENTS)}.")
    return import_module(f".{name}", __package__)


def record_name(name, profile, backbone=None):
    """What the record of an experiment will be called, before its profile.

    Parameters
    ----------
    name : str
        One of `EXPERIMENTS`.
    profile : config.Profile
    backbone : str, optional
        Default: the one that the profile borrows, where the experiment takes any.

    Returns
    -------
    str
    """
    from .records import experiment_name

    takes = "backbone" in signature(module(name).run).parameters
    return experiment_name(name, backbone or profile.borrowed) if takes else name


def run(name, profile, **options):
    """Run an experiment by name.

    Parameters
    ----------
    name : str
        One of `EXPERIMENTS`.
    profile : config.Profile
    **options
        Passed to the experiment.

    Returns
    -------
    records.Record

    Raises
    ------
    BloodcellError
        If there is no such experiment, or it has no such option.
    """
    function = module(name).run
    if unknown := [option for option in options if option not in signature(function).parameters]:
        raise BloodcellError(f"The experiment {name!r} has no option {unknown[0]!r}.")
    return function(profile, **options)
