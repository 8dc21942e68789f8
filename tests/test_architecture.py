"""The house rules that a machine can check: floors, imports, docstrings, and nothing of one person's computer."""

import ast
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "bloodcell_utils"
MODULES = sorted(PACKAGE.rglob("*.py"))
FLOORS = {
    0: ["__init__", "errors", "cells", "paper", "config", "course", "questions", "store", "page", "provenance"],
    1: ["datasets", "augment", "progress", "moodle", "syllabus"],
    2: ["features", "backbones", "runtime", "checkpoints", "prefix", "kernel_svm", "metrics", "training", "explain"]
    + [
        "anatomy",
        "mistakes",
        "compact",
        "layers",
        "muon",
        "shipped",
        "reader",
        "calibration",
        "engines",
        "counterfactuals",
        "descent",
    ],
    3: ["experiments", "records", "capstone", "model_card"],
    4: ["plots", "reproduction", "bench"],
    5: [
        "cli",
        "doctor",
        "bundle",
        "wheels",
        "widgets",
        "cell_builder",
        "labelling",
        "matrix_explorer",
        "player",
        "explorers",
        "prevalence",
        "curves",
        "quiz",
        "certificate",
        "checks",
        "__main__",
    ],
}
FLOOR = {name: floor for floor, names in FLOORS.items() for name in names}
IDS = {"ids": lambda path: path.relative_to(PACKAGE).as_posix()}


def room(path):
    """The part of the package that a file belongs to: a module of the top level, or a sub-package."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def dotted(path):
    """The name of a module inside the package, for example ``datasets.pbc``."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


def imports(path, everywhere=True):
    """Modules of the package that a file imports: anywhere in it, or when it is loaded."""
    known = {dotted(p) for p in MODULES}
    tree = ast.parse(path.read_text("utf-8"))
    nodes = ast.walk(tree) if everywhere else [node for node in tree.body if not isinstance(node, ast.FunctionDef)]
    here = ["bloodcell_utils", *path.relative_to(PACKAGE).parts[:-1]]
    for node in nodes:
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = here[: len(here) - node.level + 1] if node.level else []
            base = ".".join([*base, *filter(None, [node.module])])
            names = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            if name.startswith("bloodcell_utils."):
                inside = name.removeprefix("bloodcell_utils.")
                # `from .cells import FOLDERS` names the module and something in it.
                yield inside if inside in known else inside.rpartition(".")[0] or "__init__"


@pytest.mark.parametrize("path", MODULES, **IDS)
def test_a_file_imports_from_no_floor_above_its_own(path):
    assert room(path) in FLOOR, f"{room(path)} has no floor yet; decide on one"
    for name in imports(path):
        target = name.split(".")[0]
        assert FLOOR[target] <= FLOOR[room(path)], f"{dotted(path)} imports {name}"


def test_no_circle_of_imports():
    graph = {dotted(path): set(imports(path, everywhere=False)) - {dotted(path)} for path in MODULES}
    while graph:
        free = {name for name, needed in graph.items() if not needed & set(graph)}
        assert free, f"a circle among {sorted(graph)}"
        graph = {name: needed for name, needed in graph.items() if name not in free}


@pytest.mark.parametrize("path", MODULES, **IDS)
def test_what_no_file_may_import(path):
    targets = {name.split(".")[0] for name in imports(path)}
    if room(path) == "datasets":
        assert "plots" not in targets
    if room(path) == "metrics":
        assert "training" not in targets
    if FLOOR[room(path)] < 5:
        assert not targets & {"widgets", "cli", "checks"}


def test_the_lower_floors_load_without_tensorflow():
    lower = [f"bloodcell_utils.{dotted(p)}" for p in MODULES if FLOOR[room(p)] <= 1 and p.name != "__init__.py"]
    code = f"""
import importlib, sys
for name in ["bloodcell_utils", "bloodcell_utils.datasets", *{lower}]:
    importlib.import_module(name)
heavy = {{"tensorflow", "keras", "torch", "jax", "matplotlib"}} & set(sys.modules)
sys.exit(f"loaded: {{heavy}}" if heavy else 0)
"""
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr


def test_importing_the_package_is_quick():
    def seconds(code):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
        return time.perf_counter() - start

    bare = min(seconds("pass") for _ in range(3))
    assert min(seconds("import bloodcell_utils") for _ in range(3)) - bare < 0.3


def functions(path):
    """Public functions of a file and public methods of its public classes, with their qualified names."""
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node.name, node
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for method in node.body:
                if isinstance(method, ast.FunctionDef) and not method.name.startswith("_"):
                    yield f"{node.name}.{method.name}", method


def returns(node):
    """Whether a function gives something back, and whether it does so by and by."""
    own, stack = [], list(node.body)
    while stack:
        child = stack.pop()
        if not isinstance(child, (ast.FunctionDef, ast.Lambda, ast.ClassDef)):
            own.append(child)
            stack.extend(ast.iter_child_nodes(child))
    yields = any(isinstance(child, (ast.Yield, ast.YieldFrom)) for child in own)
    return yields or any(isinstance(child, ast.Return) and child.value is not None for child in own), yields


def described(docstring):
    """Names in the section Parameters."""
    section = re.search(r"Parameters\n *-{10}\n(.*?)(?:\n *[A-Z][a-z]+\n *-{5,}|\Z)", docstring, re.S)
    lines = section[1].splitlines() if section else []
    indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    heads = [line.split(":")[0] for line in lines if line[indent : indent + 1].strip()]
    return {name.strip().lstrip("*") for head in heads for name in head.split(",")}


@pytest.mark.parametrize("path", MODULES, **IDS)
def test_public_names_are_documented(path):
    tree = ast.parse(path.read_text("utf-8"))
    assert ast.get_docstring(tree), "a file says what it is about"
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), node.name
    for name, node in functions(path):
        docstring = ast.get_docstring(node)
        assert docstring, f"{name} has no docstring"
        if "." in name:
            continue  # short methods of an estimator or a record say it in a line
        arguments = node.args
        names = [a.arg for a in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]]
        names += [a.arg for a in (arguments.vararg, arguments.kwarg) if a]
        if room(path) == "cli" and names == ["options"]:
            continue  # a command: its options are described where they are declared
        assert set(names) == described(docstring), f"{name}: parameters and their descriptions differ"
        gives, yields = returns(node)
        if names and gives:
            assert re.search(rf"\n\s*{'Yields' if yields else 'Returns'}\n\s*-{{6,}}", docstring), f"{name}: Returns"


@pytest.mark.parametrize("path", MODULES, **IDS)
def test_no_file_executes_what_it_reads(path):
    text = path.read_text("utf-8")
    forbidden = (
        r"\bpickle\b(?!=False)|joblib\.load|read_pickle|torch\.load|allow_pickle=True|yaml\.load\(|\beval\(|\bexec\("
    )
    assert re.findall(forbidden, text) == []


def project_files():
    """Text files of the repository, those not yet committed included."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is no git checkout")
    for name in filter(None, listed.split("\0")):
        try:
            yield name, (ROOT / name).read_text("utf-8")
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue


def test_no_path_of_one_persons_computer():
    pattern = re.compile(r"(?<![\w.:/~$}-])/(?:work|root|home/\w+|Users/\w+|mnt/\w+)/|\b[A-Z]:\\Users\\")
    found = {name: pattern.findall(text) for name, text in project_files() if pattern.search(text)}
    assert found == {}
