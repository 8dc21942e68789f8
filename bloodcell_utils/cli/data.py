"""The data set: fetch, verify, info."""

from .terminal import name, shown


def fetch(options):
    """Download the data set and say what arrived."""
    from ..datasets import download

    print(f"The data set is in {download.fetch(options.folder)}.")
    return verify(options)


def verify(options):
    """Compare the data set with the official release and list its blemishes."""
    from ..datasets import audit, pbc

    source = pbc.locate(options.folder)
    verification = pbc.verify(source)
    print(shown(f"{source}\n{verification}"))
    if verification.status in ("official", "re-encoded"):
        table = pbc.index(source, on_error="skip")
        print(
            f"{len(audit.identical_groups(table))} pairs of identical files, {len(audit.conflicts(table))} of them "
            f"with two labels; a second batch of {len(audit.second_batch(table))} images (another size)."
        )
        print(audit.clean(table)[1])
    return verification.status not in ("official", "re-encoded")


def info(options):
    """Images a class, sub-type and batch."""
    from ..datasets import pbc

    table = pbc.index(options.folder, classes=None, on_error="skip")
    table = table.assign(**{column: table[column].map(name) for column in ("class", "subtype")})
    counts = table.groupby(["class", "subtype", "batch"]).size().rename("images").reset_index()
    sizes = table.groupby(["width", "height"]).size().sort_values(ascending=False)
    print(f"{name(table['source'].iloc[0])}: {len(table):,} images\n\n{counts.to_string(index=False)}\n")
    print("pixels: " + ", ".join(f"{w}x{h} ({n:,})" for (w, h), n in sizes.items()))
