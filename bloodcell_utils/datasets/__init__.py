"""Images on disk and in memory: the PBC archive, drawn cells, splits, loading and auditing."""


def index(profile):
    """The images that a profile works on, as an index (see `pbc`).

    Parameters
    ----------
    profile : config.Profile
        ``synthetic`` data are drawn into the cache on first use; ``pbc`` data must have been fetched.

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    DataError
        If the real data set is not there; the message says how to get it.
    """
    from ..config import cache_dir
    from . import pbc, sample

    return pbc.index(sample.write(cache_dir() / f"sample-v{sample.VERSION}") if profile.data == "synthetic" else None)
