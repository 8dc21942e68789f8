"""Reading cells: predict."""

import sys

from ..cells import FOLDERS


def predict(options):
    """Name the cell in each image, as a table; on request as csv, and with heat maps."""
    from ..evaluation import prediction

    table = prediction.predict(options.image, options.crop, options.threshold, progressbar=sys.stderr.isatty())
    if options.csv:
        from ..files import replace_file

        text = table.round(6).to_csv(index=False, lineterminator="\n")
        replace_file(options.csv, text.encode(errors="backslashreplace"))
    if options.explain:
        for path in prediction.explain(table, options.explain, options.crop):
            print(path)
    if options.csv:
        lines = [f"{count:>7,}  {answer}" for answer, count in table["answer"].value_counts().items()]
    else:
        lines = _lines(table, len(prediction.UNSURE))
    print("\n".join(lines).encode(errors="backslashreplace").decode())  # a file's name need not be text
    bad = table[table["problem"] != ""]
    for problem in bad["problem"]:
        print(f"bloodcell: {problem}", file=sys.stderr)
    return bool(len(bad))


def _lines(table, answer_width):
    """Each image, its answer and the three most probable classes."""
    width = max(map(len, table["image"]))
    for _, row in table.iterrows():
        guesses = sorted(FOLDERS, key=lambda name: -row[name])[:3]
        seen = "" if row["problem"] else "  ".join(f"{name} {100 * row[name]:.1f} %" for name in guesses)
        yield f"{row['image']:<{width}}  {row['answer']:<{answer_width}}  {seen}".rstrip()
