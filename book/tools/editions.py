"""The notebooks in other editions, made from the same source: for students, for teachers, and for nbgrader.

usage: python book/tools/editions.py student|instructor|assignments [--output FOLDER]

student      without the solutions and without outputs; the checks wait for an answer
instructor   with the solutions filled in, so that every check passes
assignments  a course folder for nbgrader: each exercise an answer to fill in, and a locked cell that grades it

The book's sources are in MyST, which no notebook program shows as it is meant; the editions are in plain Markdown.
"""

import argparse
import ast
import copy
import re
import sys
from pathlib import Path

import nbformat
from plain import plain

from bloodcell_utils import course
from bloodcell_utils.course import questions
from bloodcell_utils.course.checks import verdict
from bloodcell_utils.errors import BloodcellError
from bloodcell_utils.files import replace_file

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "book" / "_build"
SOLUTION = re.compile(r"^:::\{solution\} (?P<id>\S+)\n(?P<text>.*?)^:::(?:\n+|$)", re.M | re.S)
CHECK = re.compile(r'^check\("(?P<id>\w+\.\d)", \.\.\.\)$', re.M)
DONE = "**Done with this chapter?** *Kernel → Shut Down Kernel*: it keeps its memory even when its tab is closed."
POINTS = {"recall": 1, "apply": 2, "think": 1}


def student(notebook):
    """A notebook without solutions and outputs.

    Parameters
    ----------
    notebook : nbformat.NotebookNode

    Returns
    -------
    nbformat.NotebookNode
    """
    edition = copy.deepcopy(notebook)
    for cell in edition.cells:
        if cell.cell_type == "markdown":
            cell.source = plain(SOLUTION.sub("", cell.source)).strip("\n")
        else:
            cell.outputs, cell.execution_count = [], None
    edition.cells = [cell for cell in edition.cells if cell.source]
    edition.cells.append(nbformat.v4.new_markdown_cell(DONE, id="shut-down"))
    return edition


def instructor(notebook, *, asked_first=False):
    """A notebook with every check answered; nbval compares what the checks say.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
    asked_first : bool
        Each check is also run as it stands, before it is answered.

    Returns
    -------
    nbformat.NotebookNode
    """
    edition, solved, cells = copy.deepcopy(notebook), solutions(notebook), []
    for cell in edition.cells:
        if cell.cell_type == "markdown":
            cell.source = plain(cell.source)
        if cell.cell_type == "code" and (asked := CHECK.search(cell.source)):
            work, last = _work_and_check(solved[asked["id"]])
            key = asked["id"].replace(".", "-")
            if asked_first:
                cells.append(cell)
                cell = copy.deepcopy(cell)
                cell.id = f"answered-{key}"
            elif given := cell.source[: asked.start()].rstrip():
                cells.append(nbformat.v4.new_code_cell(given, id=f"given-{key}"))
            if work:  # may print what it likes
                cells.append(nbformat.v4.new_code_cell(work, id=f"work-{key}"))
            cell.source = last
            cell.metadata.tags = [*cell.metadata.get("tags", []), "nbval-check-output"]
            says = {"text/plain": _said(asked["id"])}
            cell.outputs = [nbformat.v4.new_output("execute_result", says, execution_count=cell.execution_count)]
        cells.append(cell)
    edition.cells = cells
    return edition


def solved(notebook):
    """A notebook as the book runs it, and after each check what the instructor's edition has in its place.

    Parameters
    ----------
    notebook : nbformat.NotebookNode

    Returns
    -------
    nbformat.NotebookNode
    """
    return instructor(notebook, asked_first=True)


def assignment(notebook):
    """A notebook as nbgrader's source version: it asks for each answer and grades it with the course's own check.

    Parameters
    ----------
    notebook : nbformat.NotebookNode

    Returns
    -------
    nbformat.NotebookNode
    """
    edition, solved, cells = student(notebook), solutions(notebook), []
    kinds = {exercise.id: exercise.kind for chapter in course.load().chapters for exercise in chapter.exercises}
    for cell in edition.cells:
        asked = cell.cell_type == "code" and CHECK.search(cell.source)
        if not asked:
            cells.append(cell)
            continue
        name = asked["id"]
        key = name.replace(".", "-")  # nbgrader allows no dots
        cell.source = f"### BEGIN SOLUTION\n{answer(solved[name])}\n### END SOLUTION"
        cell.metadata.nbgrader = _grading(f"answer-{key}", solution=True)
        grades = (
            "from bloodcell_utils.course.checks import verdict\n\n"
            f'given, answer = answer, ...\nfound = verdict("{name}", given)\nassert found.right, found'
        )
        graded = nbformat.v4.new_code_cell(grades, id=f"grade-{key}")
        graded.metadata.nbgrader = _grading(f"grade-{key}", points=POINTS[kinds[name]])
        if question := questions.of_exercise(name):
            choices = "\n".join(f"- {line}" for line in question.lettered)
            text = f"{question.text}\n\n{choices}\n\nAnswer with the letter, in quotation marks."
            cells.append(nbformat.v4.new_markdown_cell(text, id=f"asks-{key}"))
        cells += [cell, graded]
    edition.cells = cells
    return edition


def solutions(notebook):
    """The code that solves each exercise of a notebook, ending in its check.

    Parameters
    ----------
    notebook : nbformat.NotebookNode

    Returns
    -------
    dict of str to str

    Raises
    ------
    BloodcellError
        If an exercise whose check computes has a solution without code.
    """
    found = {}
    markdown = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    for match in SOLUTION.finditer(markdown):
        name = match["id"]
        blocks = re.findall(r"^```python\n(.*?)^```", match["text"], re.M | re.S)
        inline = re.findall(r'`(check\("[^`]*\))`', match["text"])
        if question := questions.of_exercise(name):
            found[name] = f'check("{name}", {question.right_answer.text!r}, "{question.right}")'
        elif code := [text.strip() for text in blocks + inline if f'check("{name}"' in text]:
            found[name] = code[0]
        else:
            raise BloodcellError(f'The solution of {name} has no code that ends in check("{name}", …).')
    return found


def answer(solution):
    """The code of a solution that puts the answer into a variable, in the place of its check.

    Parameters
    ----------
    solution : str
        Ends in ``check("…", answer)``, or in a sentence and the letter that is the answer.

    Returns
    -------
    str
    """
    work, last = _work_and_check(solution)
    call = ast.parse(last).body[0].value
    return f"{work}\nanswer = {ast.get_source_segment(last, call.args[-1])}".lstrip("\n")


def _said(exercise):
    """What the check says of the right answer."""
    question = questions.of_exercise(exercise)
    return str(verdict(exercise, question.right, question.right_answer.text)) if question else f"✓ {exercise}"


def _work_and_check(solution):
    """The code of a solution, and the call of its check."""
    *_, last = ast.parse(solution).body
    lines = solution.splitlines()
    return "\n".join(lines[: last.lineno - 1]).rstrip(), "\n".join(lines[last.lineno - 1 :])


def write(edition, folder):
    """Write an edition of every chapter; a file that would not change is left as it is, and so are nbgrader's settings.

    Parameters
    ----------
    edition : str
        ``"student"``, ``"instructor"``, ``"solved"`` or ``"assignments"``.
    folder : pathlib.Path

    Returns
    -------
    list of pathlib.Path
    """
    make = {"student": student, "instructor": instructor, "solved": solved, "assignments": assignment}[edition]
    target = folder / "source" if edition == "assignments" else folder
    written = []
    for source in sorted((ROOT / "notebooks").glob("*.ipynb")):
        inside = target / source.stem[3:] if edition == "assignments" else target  # by its name, without the number
        files = {source.name: (nbformat.writes(make(nbformat.read(source, as_version=4))) + "\n").encode()}
        for file in re.findall(r"\{download\}`([^`]+)`", source.read_text("utf-8")):
            files[Path(file).name] = source.with_name(file).read_bytes()
        written.append(inside / source.name)
        for name, content in files.items():
            _put(inside / name, content)
    if edition == "assignments":
        names = ["check_submissions.py"]
        names += [] if (folder / "nbgrader_config.py").exists() else ["nbgrader_config.py"]  # the teacher edits it
        for name in names:
            _put(folder / name, (ROOT / "classroom" / name).read_bytes())
    return written


def _put(path, content):
    """Write a file that is not there, or another."""
    if not path.is_file() or path.read_bytes() != content:
        replace_file(path, content)


def _grading(name, solution=False, points=0):
    grading = {"grade": bool(points), "grade_id": name, "locked": bool(points), "solution": solution, "task": False}
    return grading | {"schema_version": 3} | ({"points": points} if points else {})


def main():
    """Write one edition and say where it is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("edition", choices=("student", "instructor", "assignments"))
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="default: book/_build/<edition>")
    options = parser.parse_args()
    folder = options.output or BUILD / options.edition
    try:
        written = write(options.edition, folder)
    except BloodcellError as err:
        print(f"editions: {err}", file=sys.stderr)
        return 1
    print(f"{len(written)} notebooks, {options.edition} edition: {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
