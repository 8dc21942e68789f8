"""WBCAtt: the morphology of 10,298 white cells of PBC in words (Tsutsui et al. 2023, MIT licence).

Eleven attributes a cell, chosen with pathologists, such as the shape of the nucleus and the texture of the cytoplasm.
Three small tables, to be had from https://github.com/apple2373/wbcatt; put them into the folder ``wbcatt`` beside the
images, or say where they are in the environment variable ``BLOODCELL_WBCATT_DIR``.
"""

import os
from pathlib import Path

from ..config import data_dir
from ..errors import DataError

FILES = tuple(f"pbc_attr_v1_{part}.csv" for part in ("train", "val", "test"))
ATTRIBUTES = ("cell_size", "cell_shape", "nucleus_shape", "nuclear_cytoplasmic_ratio", "chromatin_density",
              "cytoplasm_vacuole", "cytoplasm_texture", "cytoplasm_colour", "granule_type", "granule_colour",
              "granularity")  # fmt: skip


def folder():
    """Where the tables are looked for (``BLOODCELL_WBCATT_DIR``, else ``wbcatt`` in the data folder)."""
    return Path(os.environ.get("BLOODCELL_WBCATT_DIR") or data_dir() / "wbcatt")


def attributes():
    """The attributes of all cells.

    Returns
    -------
    pandas.DataFrame of str
        A row a cell, named by its path in an index of PBC (``"neutrophil/BNE_7323.jpg"``); a column an attribute.

    Raises
    ------
    DataError
        If a table is missing or is something else.
    """
    import pandas as pd

    parts = []
    for name in FILES:
        path = folder() / name
        try:
            part = pd.read_csv(path, dtype=str, keep_default_na=False)
            parts.append(part.set_index(part["path"].str.split("/").str[-2:].str.join("/"))[list(ATTRIBUTES)])
        except (OSError, ValueError, KeyError) as err:
            raise DataError(
                f"The attributes of WBCAtt cannot be read from {path} ({err}). Get the three tables from "
                "https://github.com/apple2373/wbcatt and set BLOODCELL_WBCATT_DIR to their folder."
            ) from err
    return pd.concat(parts)
