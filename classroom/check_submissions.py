"""Before `nbgrader autograde`: find what would lose a student's marks without a word. Nothing is changed.

usage, in the course folder: python check_submissions.py ASSIGNMENT [STUDENT ...]

Compares each notebook under submitted/ with the one under release/. The exit status is 1 where something is to mend.
"""

import argparse
import ast
import json
import sys
import warnings
from pathlib import Path

ENDS = (ast.Break, ast.Return, ast.Raise, ast.Yield, ast.YieldFrom, ast.Await)  # or hands over to another
AGAIN = "Put the answers into a fresh copy of what was handed out."


def check(assignment, students=None, course=Path()):
    """Look at the submissions of an assignment, and say by whom what has to be mended.

    Parameters
    ----------
    assignment : str
    students : list of str, optional
        Default: all who have handed in anything.
    course : pathlib.Path
        The course folder.

    Returns
    -------
    bool
        Whether something is to mend.
    """
    released = {path.name: cells(path) for path in sorted((course / "release" / assignment).glob("*.ipynb"))}
    if not released:
        print(f"There is no release/{assignment}. First: nbgrader generate_assignment {assignment}")
        return True
    everybody = sorted(path.name for path in (course / "submitted").glob("*") if path.is_dir())
    if unknown := sorted(set(students or ()) - set(everybody)):
        print(f"submitted/ has no folder {', '.join(unknown)}. There are: {', '.join(everybody) or 'none'}.")
        return True
    asked, to_mend = students or everybody, []
    for student in asked:
        folder = course / "submitted" / student / assignment
        if not folder.is_dir():
            print(f"{student} has handed in nothing: there is no {folder}")
            continue
        found = list(look_at(folder, released))
        print("\n".join(f"{student}: {problem}" for problem in found), end="\n" if found else "")
        to_mend += [student] * bool(found)
    if not asked:
        print("Nobody has handed in anything: submitted/ is empty. First: nbgrader collect, or put the files there.")
        return True
    print(f"Students: {len(asked)}. With something to mend before `nbgrader autograde {assignment}`: {len(to_mend)}.")
    if to_mend:
        print(f"Mend it in {course / 'submitted'}, or ask for it again; until then, move these folders elsewhere:")
        print("\n".join(f"  {course / 'submitted' / student / assignment}" for student in to_mend))
    return bool(to_mend)


def look_at(folder, released):
    """What is wrong with a submission, a sentence each.

    Parameters
    ----------
    folder : pathlib.Path
    released : dict of str to list of dict
        The cells of each notebook that was handed out.

    Yields
    ------
    str
    """
    others = sorted(path.name for path in folder.glob("*.ipynb") if path.name not in released)
    for name, wanted in released.items():
        if not (folder / name).is_file():
            hint = f" Rename {' or '.join(others)}, if that is it." if others else ""
            yield f"{name} is not there, which counts as no answer at all.{hint}"
            continue
        try:
            given = cells(folder / name)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, MemoryError) as err:
            yield f"{name} cannot be read as a notebook ({type(err).__name__}: {err})."
            continue
        for problem in compare(wanted, given):
            yield f"{name}: {problem}"
    if others and all((folder / name).is_file() for name in released):
        yield f"{', '.join(others)} will not be graded. Is the work in there?"


def compare(wanted, given):
    """How the cells that were handed in differ from those that were handed out, where nbgrader does not mend it itself.

    Parameters
    ----------
    wanted, given : list of dict

    Yields
    ------
    str
    """
    known, places, order = marked(wanted), {}, []
    for number, cell in enumerate(given, 1):
        if (mark := cell["metadata"].get("nbgrader")) is None:
            continue
        name = mark.get("grade_id")
        places.setdefault(name, []).append(number)
        order.append(name)
        if name in known and mark.get("schema_version") != known[name]["metadata"]["nbgrader"]["schema_version"]:
            yield f"cell {number}, {name}, is of another version of nbgrader, at which autograding stops. {AGAIN}"
    for name, numbers in places.items():
        if name is None:
            yield f"cell {numbers[0]} has an empty mark, at which autograding stops for everybody. {AGAIN}"
        elif len(numbers) > 1:
            where = " and ".join(map(str, numbers))
            yield f"cells {where} are both {name}: delete the copies, or autograding stops for everybody."
    strange, missing = [name for name in places if name and name not in known], [n for n in known if n not in places]
    if not places:
        yield f"no cell is marked for nbgrader any more; another program has saved it. {AGAIN}"
    elif missing:
        renamed = f"; unknown instead: {', '.join(strange)}" if strange else ""
        yield f"{', '.join(missing)} missing{renamed}. {AGAIN}"
    elif strange:
        yield f"unknown to nbgrader: {', '.join(strange)}. Delete what is not of this assignment."
    if not missing and list(dict.fromkeys(name for name in order if name in known)) != list(known):
        yield "its cells are in another order; an answer that follows its check counts for nothing."
    sources = {text(cell) for cell in wanted}
    for number, cell in enumerate(given, 1):
        if cell["cell_type"] == "code" and text(cell) not in sources:
            for line in endless(text(cell)):
                yield f"cell {number}, line {line}: this loop seems never to end, and autograding will wait for it."


def cells(path):
    """The cells of a notebook, as dictionaries."""
    found = json.loads(path.read_text("utf-8"))["cells"]
    for cell in found:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if not isinstance(name, (str, type(None))):
            raise TypeError(f"a cell is named {name!r}")
        cell["cell_type"], text(cell)  # are there, or an error
    return found


def marked(notebook):
    """The cells that nbgrader knows, by their names."""
    known = [cell for cell in notebook if cell["metadata"].get("nbgrader")]
    return {cell["metadata"]["nbgrader"]["grade_id"]: cell for cell in known}


def text(cell):
    """The source of a cell; in a file it may be a list of lines."""
    return "".join(cell["source"])


def endless(source):
    """Lines of loops that nothing seems to end: always true and never left, or waiting for what does not change.

    Parameters
    ----------
    source : str

    Yields
    ------
    int
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # of the student's strings
            loops = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.While)]
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # the student has seen that one
        return
    for loop in loops:
        inside = [node for statement in loop.body for node in ast.walk(statement)]
        if any(isinstance(node, ENDS) for node in inside):
            continue
        asked = list(ast.walk(loop.test))
        names = {node.id for node in asked if isinstance(node, ast.Name)}
        touched = {node.id for node in inside if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        touched |= {
            node.value.id
            for node in inside
            if isinstance(node, (ast.Attribute, ast.Subscript)) and isinstance(node.value, ast.Name)
        }
        if not any(isinstance(node, (ast.Call, ast.NamedExpr)) for node in asked) and not names & touched:
            if names or not isinstance(loop.test, ast.Constant) or loop.test.value:
                yield loop.lineno


def main():
    """Check one assignment; the exit status says whether something is to mend."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("assignment", help="such as dataset")
    parser.add_argument("student", nargs="*", help="default: all")
    options = parser.parse_args()
    return check(options.assignment, options.student)


if __name__ == "__main__":
    sys.exit(main())
