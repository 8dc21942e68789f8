"""Experiments: each module has ``run(profile, ...) -> Record``."""

from importlib import import_module

from ..errors import BloodcellError

EXPERIMENTS = {"svm": "frozen features and a support vector machine (the paper's first design)"}


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
    """
    return module(name).run(profile, **options)
