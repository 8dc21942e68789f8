"""The data set: fetch, verify, info."""


def fetch(options):
    """Download the data set and say what arrived."""
    from ..datasets import pbc

    print(f"The data set is in {pbc.fetch(options.folder)}.")
    return verify(options)


def verify(options):
    """Compare the data set with the official release and list its blemishes."""
    from ..datasets import audit, pbc

    source = pbc.locate(options.folder)
    verification = pbc.verify(source)
    print(f"{source}\n{verification}")
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
    counts = table.groupby(["class", "subtype", "batch"]).size().rename("images").reset_index()
    sizes = table.groupby(["width", "height"]).size().sort_values(ascending=False)
    print(f"{table['source'].iloc[0]}: {len(table):,} images\n\n{counts.to_string(index=False)}\n")
    print("pixels: " + ", ".join(f"{w}x{h} ({n:,})" for (w, h), n in sizes.items()))


def add_to(commands):
    """Describe these commands to the parser.

    Parameters
    ----------
    commands : argparse._SubParsersAction
    """
    data = commands.add_parser("data", help="the PBC data set: fetch, verify, info").add_subparsers(
        required=True, metavar="ACTION"
    )
    for name, function, text in (
        ("fetch", fetch, "download the archive, once, and verify it"),
        ("verify", verify, "compare a folder or zip with the official release"),
        ("info", info, "count images by class, sub-type and batch; any set with one folder a class"),
    ):
        action = data.add_parser(name, help=text, description=text)
        action.add_argument("folder", nargs="?", help="folder or zip (default: BLOODCELL_DATA_DIR, else the cache)")
        action.set_defaults(command=function)
