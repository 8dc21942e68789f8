"""The house rules that a machine can check: imports, calls, docstrings, and nothing of one person's computer.

Which room may import from which stands in `pyproject.toml` (import-linter).
"""

import ast
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "bloodcell_utils"
MODULES = sorted(PACKAGE.rglob("*.py"))
ROOMS = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
IDS = {"ids": lambda path: path.relative_to(PACKAGE).as_posix()}


def room(path):
    """The part of the package that a file belongs to: a module of the top level, or a sub-package."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def dotted(path):
    """The name of a module, for example ``bloodcell_utils.datasets.pbc``."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def loaded_after(*modules):
    """What a fresh Python has loaded after importing these."""
    code = f"""
import importlib, sys
for name in {modules}:
    importlib.import_module(name)
print(*sys.modules)
"""
    command = [sys.executable, "-c", code]
    return set(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split())


def test_floors_and_circles():
    """The contracts of import-linter: who imports from whom, and that nobody does in a circle."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0 and "3 kept, 0 broken" in result.stdout, result.stdout + result.stderr


def test_importing_the_package_loads_nothing_heavy():
    heavy = {"numpy", "pandas", "matplotlib", "sklearn", "tensorflow", "keras"}
    lazy = (f"bloodcell_utils.{room}" for room in ROOMS if room not in ("cli", "reproduction"))
    assert not heavy & loaded_after("bloodcell_utils", *lazy)


def test_images_and_all_below_load_without_a_network_or_a_figure():
    lower = [dotted(path) for path in MODULES if path.parent == PACKAGE or room(path) == "datasets"]
    lower = [name for name in lower if not name.endswith("__main__")]
    assert not {"tensorflow", "keras", "torch", "jax", "matplotlib"} & loaded_after(*lower)


@pytest.mark.parametrize("name", ROOMS)
def test_a_room_hands_on_what_is_there_and_no_name_of_a_file(name):
    """Else who asks the room for `counterfactuals` gets the file, or what bears its name: whichever came last."""
    files = {path.stem for path in (PACKAGE / name).glob("*.py")}
    assert not files & set(handed_on(PACKAGE / name / "__init__.py"))
    loaded = import_module(f"bloodcell_utils.{name}")
    assert [other for other in getattr(loaded, "__all__", []) if not hasattr(loaded, other)] == []


def handed_on(path):
    """Names that a room takes from its files, at once or when they are asked for; not the files themselves."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module:
            yield from (alias.asname or alias.name for alias in node.names)
        if isinstance(node, ast.keyword) and node.arg == "submod_attrs":
            yield from (name for names in ast.literal_eval(node.value).values() for name in names)


def test_public_functions_take_at_most_three_positional_parameters():
    """What is fourth has to be called by its name."""
    many = {
        f"{dotted(path)}.{name}": len(node.args.posonlyargs + node.args.args)
        for path in MODULES
        for name, node in functions(path)
        if "." not in name and len(node.args.posonlyargs + node.args.args) > 3
    }
    assert many == {}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_takes_from_the_package_what_its_rooms_hand_on(path):
    """From a room or a file of the top level; never from a file in a room, and nothing private."""
    wrong, taken = [], set()
    for node in nodes(path):
        if isinstance(node, ast.Import):
            wrong += [alias.name for alias in node.names if alias.name.startswith("bloodcell_utils.")]
        elif isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith("bloodcell_utils."):
            names = [alias.name for alias in node.names]
            taken |= {alias.asname or alias.name for alias in node.names}
            place = node.module.removeprefix("bloodcell_utils").removeprefix(".")
            allowed = getattr(import_module(node.module), "__all__", []) if place in ROOMS else names
            inside = "." in place
            wrong += [f"{node.module}.{name}" for name in names if inside or name not in allowed or name[0] == "_"]
    for node in nodes(path):
        if isinstance(node, ast.Attribute) and node.attr[0] == "_" and isinstance(node.value, ast.Name):
            wrong += [f"{node.value.id}.{node.attr}"] * (node.value.id in taken)
    assert wrong == []


def nodes(path):
    """Everything in the code of a notebook; magics are calls."""
    plain = TransformerManager().transform_cell
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            yield from ast.walk(ast.parse(plain(cell.source)))


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
        if room(path) == "plots" and path.stem != "style":
            says = node.returns and ast.unparse(node.returns)
            assert says == "Figure", f"{name}: a figure says so in its signature, not in a section"
            continue
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
