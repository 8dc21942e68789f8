"""The data sets: fetch, verify, info."""

from .terminal import name, shown


def fetch(options):
    """Download the data set and say what arrived."""
    from ..datasets import download

    if options.set != "pbc":
        options.resumable = True
        options.folder = download.fetch_set(options.set, options.folder)
        return verify(options)
    print(f"The data set is in {download.fetch(options.folder)}.")
    return verify(options)


def verify(options):
    """Compare the data set with the official release and list its blemishes."""
    from ..datasets import audit, other_labs, pbc

    if options.set != "pbc":
        table = other_labs.index(options.set, options.folder)
        print(shown(f"{table['source'].iloc[0]}\nThe whole set {options.set}, pixel for pixel as published."))
        return False
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
    from ..datasets import other_labs, pbc

    if options.set != "pbc":
        lab, table = other_labs.known(options.set), other_labs.index(options.set, options.folder)
        print(f"{lab.title}\nlicence: {lab.licence}\nsource: {lab.citation}\n")
        print(table["class"].value_counts().to_string())
        return
    table = pbc.index(options.folder, classes=None, on_error="skip")
    table = table.assign(**{column: table[column].map(name) for column in ("class", "subtype")})
    counts = table.groupby(["class", "subtype", "batch"]).size().rename("images").reset_index()
    sizes = table.groupby(["width", "height"]).size().sort_values(ascending=False)
    print(f"{name(table['source'].iloc[0])}: {len(table):,} images\n\n{counts.to_string(index=False)}\n")
    print("pixels: " + ", ".join(f"{w}x{h} ({n:,})" for (w, h), n in sizes.items()))
