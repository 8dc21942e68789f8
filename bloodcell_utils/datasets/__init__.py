"""Images on disk and in memory: where they are, what is wrong with them, how they are split, loaded and drawn.

``pbc``          the PBC data set, or any set with a folder a class, as an index
``download``     the archive, fetched once; ``example_set``, a small drawn set like a reader's own
``audit``        copies, contradictions, a second batch
``splits``       training, validation and test sets; ``Split``, made once and passed on
``archives``     where a set begins, in a folder or a zip; ``pictures``, one file that nobody has checked
``loading``      files to arrays; ``cache``, arrays that are computed once
``augment``      flips, rotations, standardisation, balanced classes
``specs``        cells in numbers; ``synthetic`` draws them, ``sample`` writes the embedded sample
``wbcatt``       the morphology of PBC's white cells in words
``strangers``    pictures that are none of the eight kinds; ``drawn_labs``, two laboratories that were drawn
``other_labs``   three small sets of other laboratories, and the windows that are cut from them
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__, submodules=["audit", "augment", "example_set", "other_labs", "pbc", "sample", "splits", "strangers"],
    submod_attrs={
    "loading": ["load_image", "load_images"],
    "pbc": ["labels", "official"],
    "splits": ["SUBSETS", "Split", "followed", "followed_spec", "load_index", "load_split"],
    "specs": ["CellSpec", "random_spec"],
    "synthetic": ["FIELD_UM", "draw", "draw_layers"],
})  # fmt: skip
