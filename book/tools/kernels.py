"""What the kernels see that run the notebooks for the pages."""

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "book" / "_build"
KERNEL = BUILD / "kernel"


def prepare(profile, caller):
    """Put settings where the kernels look for them.

    Parameters
    ----------
    profile : str
    caller : mapping of str to str
        Its environment.

    Returns
    -------
    dict of str to str
        As from `environment`.
    """
    shutil.copytree(ROOT / "book" / "_kernel", KERNEL, dirs_exist_ok=True)  # kernels keep files of their own there
    return environment(profile, caller)


def environment(profile, caller):
    """The variables that the notebooks see: the caller's, except those that would change what the pages show."""
    nobody = {"BLOODCELL_PROGRESS_FILE": str(BUILD / "nobody" / "progress.json")}  # the pages show no one's answers
    drawn = {"IPYTHONDIR": str(KERNEL), "MATPLOTLIBRC": str(KERNEL / "matplotlibrc")}
    variables = {"TF_CPP_MIN_LOG_LEVEL": "2", **caller, "BLOODCELL_PROFILE": profile, **nobody, **drawn}
    if profile == "sample":
        for name in ("BLOODCELL_DATA_DIR", "BLOODCELL_WEIGHTS_DIR"):
            variables.pop(name, None)
    return variables
