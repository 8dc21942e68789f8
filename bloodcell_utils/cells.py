"""The eight kinds of cells of the PBC data set, in the order of Acevedo et al. 2019.

Every label, row of a confusion matrix and colour in the course follows this order.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class CellClass:
    """One kind of cell.

    Attributes
    ----------
    name, short : str
        The haematologist's name, as printed in figures, and at most four letters for crowded axes.
    folder : str
        Its folder in the PBC archive; also the value of the column ``class`` in an index.
    color : str
        A fixed colour, ``#rrggbb`` (Okabe and Ito's palette for colour-blind readers, black made grey so that it shows
        on dark pages).
    subtypes : dict of str to str
        File-name prefix and what it stands for.
    nucleus, cytoplasm : str
        What to look for under the microscope, May Grünwald-Giemsa stain.
    """

    name: str
    folder: str
    short: str
    color: str
    subtypes: dict[str, str]
    nucleus: str
    cytoplasm: str


CELLS = (
    CellClass(
        "neutrophil", "neutrophil", "NEU", "#E69F00",
        {"SNE": "segmented neutrophil", "BNE": "band neutrophil", "NEUTROPHIL": "neutrophil, stage not given"},
        "two to five lobes joined by thin filaments, or one curved band; dense chromatin",
        "pale pink, dusted with fine lilac granules",
    ),
    CellClass(
        "eosinophil", "eosinophil", "EOS", "#D55E00", {"EO": "eosinophil"},
        "mostly two lobes",
        "packed with large round granules of one size, orange-red",
    ),
    CellClass(
        "basophil", "basophil", "BAS", "#0072B2", {"BA": "basophil"},
        "bent or lobed, its outline hidden by granules",
        "coarse granules of uneven size, dark violet, also over the nucleus",
    ),
    CellClass(
        "lymphocyte", "lymphocyte", "LYM", "#56B4E9", {"LY": "lymphocyte"},
        "round, dense, fills most of the cell",
        "a narrow sky-blue rim, without granules or with very few",
    ),
    CellClass(
        "monocyte", "monocyte", "MON", "#009E73", {"MO": "monocyte"},
        "folded like a kidney or a horseshoe; loose, lace-like chromatin",
        "wide, grey-blue like ground glass, often with vacuoles",
    ),
    CellClass(
        "immature granulocyte", "ig", "IG", "#CC79A7",
        {"PMY": "promyelocyte", "MY": "myelocyte", "MMY": "metamyelocyte",
         "IG": "immature granulocyte, stage not given"},
        "round to kidney-shaped, not yet lobed; chromatin from fine (promyelocyte) to clumped (metamyelocyte)",
        "blue to pink as the cell matures, with violet primary granules in the younger stages",
    ),
    CellClass(
        "erythroblast", "erythroblast", "ERY", "#F0E442", {"ERB": "erythroblast"},
        "small, round and very dense, almost black when mature",
        "from deep blue to grey-pink as haemoglobin fills the cell",
    ),
    CellClass(
        "platelet", "platelet", "PLT", "#666666", {"PLATELET": "platelet"},
        "none: a platelet is a fragment of a megakaryocyte",
        "a small pale-blue body with fine purple granules, mostly 2-4 µm across, large ones up to 7",
    ),
)  # fmt: skip

CLASS_NAMES = tuple(cell.name for cell in CELLS)
FOLDERS = tuple(cell.folder for cell in CELLS)
SUBTYPES = {prefix: cell.folder for cell in CELLS for prefix in cell.subtypes}
STAGES = {prefix: name for cell in CELLS for prefix, name in cell.subtypes.items()}


def by_folder(folder):
    """The `CellClass` kept in a folder of the archive (``"ig"``), or None for a class of the reader's own.

    Parameters
    ----------
    folder : str

    Returns
    -------
    CellClass or None
    """
    return next((cell for cell in CELLS if cell.folder == folder), None)


def titles(folders):
    """Names for the axes of a figure: the haematologist's name where there is one, else the folder's.

    Parameters
    ----------
    folders : iterable of str

    Returns
    -------
    list of str
    """
    return [cell.name if (cell := by_folder(folder)) else folder for folder in folders]
