"""Reading cells: predict, and adapt to where they come from."""

import os
import sys
from pathlib import Path

from ..cells import FOLDERS
from ..errors import BloodcellError
from ..files import replace_file, writable
from .terminal import name, shown


def predict(options):
    """Name the cell in each image, as a table; on request as csv, and with heat maps."""
    from ..evaluation import prediction

    files = [file for path in options.image for file in prediction.image_files(path)]
    if options.explain and options.adapted:
        raise BloodcellError("Heat maps are of the network as it came; ask for --explain without --adapted.")
    if options.csv:
        _check_csv(options.csv, files)
    if options.explain:
        _check_folder(options.explain, files)
    asked = {"adapted": options.adapted, "progressbar": sys.stderr.isatty()}
    table = prediction.predict(files, options.crop, options.threshold, **asked)
    failed = bool((table["problem"] != "").any())
    kept = options.csv and _written(options.csv, table)
    if kept:
        lines = [f"{count:>7,}  {answer}" for answer, count in table["answer"].value_counts().items()]
    else:
        lines = _lines(table, len(prediction.UNSURE))
    print("\n".join(lines))
    for problem in table.loc[table["problem"] != "", "problem"]:
        print(f"bloodcell: {shown(problem)}", file=sys.stderr)
    if options.explain:
        for path in prediction.explain(table, options.explain, options.crop):
            print(name(str(path)))
    return failed or (options.csv is not None and not kept)


def adapt(options):
    """Learn what brings cells of one laboratory to what the network knows, and write it as a file."""
    import numpy as np

    from ..evaluation import adaptation, prediction

    files = prediction.image_files(options.folder)
    if options.output.suffix.lower() != ".npz":
        raise BloodcellError(f"{options.output}: what is learnt is kept in a file that ends in .npz, such as lab.npz.")
    if writable(options.output).exists():
        adaptation.load(options.output, any_weights=True)  # nothing else is written over
    classes = [_class(file) for file in files] if options.labelled else None
    pictures, kept, problems = prediction.prepare(files, options.crop, progressbar=sys.stderr.isatty())
    y = np.array(classes)[kept] if options.labelled else None
    for problem in problems:
        print(f"bloodcell: {shown(problem)}", file=sys.stderr)
    found = adaptation.adapt(pictures, y)
    found.save(options.output)
    print(f"{len(kept):,} cells: their colours are learnt" + (", and a new last layer." if options.labelled else "."))
    for kind, count in found.card["labelled"].items():
        print(f"{count:>7,}  {kind}")
    again = "" if options.crop == 1 else f" --crop {options.crop:g}"
    print(f"Use it: bloodcell predict --adapted {name(str(options.output))}{again} IMAGE ...")
    return bool(problems)


def _class(file):
    """The number of the class whose folder a file lies in; another name is never guessed."""
    folder = Path(file).parent.name
    if folder not in FOLDERS:
        raise BloodcellError(f"{file} lies in {folder!r}, which is no class; rename it to one of {', '.join(FOLDERS)}.")
    return FOLDERS.index(folder)


def _check_csv(path, files):
    """A slip, such as a star that stands where a name belongs, must not cost a picture."""
    from ..datasets.pictures import SUFFIXES

    if path.suffix.lower() in SUFFIXES:
        raise BloodcellError(f"{path} is a picture, or is called like one; name a file such as cells.csv.")
    target = writable(path, text=True)
    if any(os.path.exists(file) and os.path.exists(target) and os.path.samefile(file, target) for file in files):
        raise BloodcellError(f"{path} is one of the images; name another file for the table.")


def _check_folder(folder, files):
    """Heat maps among the images would be read as cells the next time, or replace one."""
    writable(folder / ".heat-map")
    inside = next(
        (file for file in files if Path(os.path.realpath(folder)) in Path(os.path.realpath(file)).parents), None
    )
    if inside:
        raise BloodcellError(f"{folder} holds images to be read ({inside}); name another folder for the heat maps.")


def _written(path, table):
    """Whether the table was kept; where it cannot be, it is printed rather than lost."""
    text = table.assign(image=table["image"].map(_harmless)).round(6).to_csv(index=False, lineterminator="\n")
    try:
        replace_file(path, text.encode(errors="backslashreplace"))
    except BloodcellError as err:
        print(f"bloodcell: {err} The answers are below.", file=sys.stderr)
        return False
    return True


def _harmless(image):
    """A name that no spreadsheet takes for a formula, nor for the end of a row."""
    image = name(image)
    return f"'{image}" if image.startswith(("=", "+", "-", "@", "\\")) else image


def _lines(table, answer_width):
    """Each image, its answer and the three most probable classes."""
    names = table["image"].map(name)
    width = max(map(len, names))
    for image, (_, row) in zip(names, table.iterrows(), strict=True):
        guesses = sorted(FOLDERS, key=lambda kind: -row[kind])[:3]
        seen = "" if row["problem"] else "  ".join(f"{kind} {100 * row[kind]:.1f} %" for kind in guesses)
        yield f"{image:<{width}}  {row['answer']:<{answer_width}}  {seen}".rstrip()
