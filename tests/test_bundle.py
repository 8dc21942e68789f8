"""A bundle for a room without internet: what is in it, for whom, and what happens when something goes wrong."""

import hashlib
from pathlib import Path
from types import SimpleNamespace

import pytest

from bloodcell_utils import bundle, cli, wheels
from bloodcell_utils.errors import BloodcellError

WINDOWS = wheels.Target("win_amd64", (3, 12))
MAC = wheels.Target("macosx_14_0_arm64", (3, 12))
LINUX = wheels.Target("manylinux_2_28_x86_64", (3, 12))

PACKAGES = {  # name: (version, marker, tag of its wheel)
    "everywhere": ("1.0", "", "py3-none-any"),
    "on-windows": ("2.0", " ; sys_platform == 'win32'", "py3-none-any"),
    "early-patch": ("1", " ; python_full_version < '3.12.5'", "py3-none-any"),
    "late-patch": ("2", " ; python_full_version >= '3.12.5'", "py3-none-any"),
    "compiled": ("1.0.post1", " ; python_full_version >= '3.12'", "cp312-cp312-{platform}"),
}
NATIVE = {"win": "win_amd64", "macosx": "macosx_11_0_arm64", "manylinux": "manylinux2014_x86_64"}


def content(name, tag):
    return f"the wheel of {name}, {tag}".encode()


def lock():
    lines = ["# made by a machine"]
    for name, (version, marker, tag) in PACKAGES.items():
        tags = [tag.format(platform=native) for native in NATIVE.values()] if "{" in tag else [tag]
        lines.append(f"{name}=={version}{marker} \\")
        digests = [hashlib.sha256(content(name, tag)).hexdigest() for tag in tags]
        lines += [f"    --hash=sha256:{digest} \\" for digest in digests[:-1]] + [f"    --hash=sha256:{digests[-1]}"]
    return "\n".join(lines) + "\n"


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A small checkout, and a pip that invents what is asked for; its calls are kept."""
    root = tmp_path / "checkout"
    for path, text in {
        "pyproject.toml": "",
        "requirements.lock": lock(),
        "LICENSE": "code",
        "LICENSE-text": "text",
        "notebooks/00_first.ipynb": "{}",
        "book/_build/html/index.html": "<p>the book",
        "book/_build/html/_static/a.css": "",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    calls = []

    def run(command, env, **_):
        arguments = command[command.index("pip") + 1 :]
        calls.append(arguments)
        if "wheel" in arguments:
            Path(arguments[-2], "bloodcell_utils-0.1.0-py3-none-any.whl").write_bytes(b"this package")
            return SimpleNamespace(returncode=0)
        target = Path(arguments[arguments.index("--dest") + 1])
        platforms = [value for flag, value in zip(arguments, arguments[1:], strict=False) if flag == "--platform"]
        for line in Path(arguments[arguments.index("--requirement") + 1]).read_text().splitlines():
            name, version = line.split(" ")[0].split("==")
            native = next((value for value in NATIVE.values() if value in platforms), "any")
            tag = PACKAGES[name][2].format(platform=native)
            (target / f"{name.replace('-', '_')}-{version}-{tag}.whl").write_bytes(content(name, tag))
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(bundle, "ROOT", root)
    monkeypatch.setattr(wheels.subprocess, "run", run)
    return SimpleNamespace(root=root, calls=calls, folder=tmp_path / "stick" / "course")


def make(checkout, platforms=("win_amd64",), **options):
    return bundle.make(checkout.folder, list(platforms), ["3.12"], progressbar=False, **options)


def names(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def downloads(checkout):
    return [call for call in checkout.calls if "download" in call]


def test_what_is_in_it(checkout, capsys):
    folder = make(checkout)
    assert names(folder) == {
        "README.txt", "SHA256SUMS", "LICENSE", "LICENSE-text", "notebooks/00_first.ipynb",
        "book/index.html", "book/_static/a.css",
        "wheels/bloodcell_utils-0.1.0-py3-none-any.whl", "wheels/everywhere-1.0-py3-none-any.whl",
        "wheels/on_windows-2.0-py3-none-any.whl", "wheels/early_patch-1-py3-none-any.whl",
        "wheels/late_patch-2-py3-none-any.whl", "wheels/compiled-1.0.post1-cp312-cp312-win_amd64.whl",
    }  # fmt: skip
    readme = (folder / "README.txt").read_text()
    assert "--no-index --find-links wheels" in readme and "py -m venv" in readme and "win_amd64" in readme
    assert "is ready" in capsys.readouterr().out
    assert all({"--require-hashes", "--no-deps", "--only-binary"} <= set(call) for call in downloads(checkout))


def test_checksums_are_those_of_sha256sum(checkout):
    folder = make(checkout)
    lines = (folder / "SHA256SUMS").read_text().splitlines()
    assert {line.split("  ")[1] for line in lines} == names(folder) - {"SHA256SUMS"}
    for line in lines:
        digest, name = line.split("  ")
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest


def test_each_system_gets_its_own(checkout):
    folder = make(checkout, ("win_amd64", "macosx_14_0_arm64", "manylinux_2_28_x86_64"))
    compiled = {path.name.rsplit("-", 1)[1] for path in (folder / "wheels").glob("compiled*")}
    assert compiled == {f"{native}.whl" for native in NATIVE.values()}
    make(checkout, ("macosx_14_0_arm64",))
    assert len(list((folder / "wheels").glob("compiled*"))) == len(NATIVE), "more systems may be added one by one"


def test_what_is_there_is_kept(checkout):
    folder = make(checkout)
    before = len(downloads(checkout))
    make(checkout)
    assert len(downloads(checkout)) == before, "nothing is asked for twice"
    wheel = folder / "wheels" / "everywhere-1.0-py3-none-any.whl"
    wheel.write_bytes(b"cut sho")
    make(checkout)
    assert len(downloads(checkout)) == before + 1 and wheel.read_bytes() == content("everywhere", "py3-none-any")


def test_an_interruption_costs_a_batch(checkout, monkeypatch):
    monkeypatch.setattr(wheels, "BATCH", 1)
    run = wheels.subprocess.run

    def stop(command, **kw):
        if len(downloads(checkout)) == 2:
            raise KeyboardInterrupt
        return run(command, **kw)

    monkeypatch.setattr(wheels.subprocess, "run", stop)
    with pytest.raises(KeyboardInterrupt):
        make(checkout)
    assert not (checkout.folder / "SHA256SUMS").exists(), "an unfinished bundle has no checksums"
    assert not list(checkout.folder.glob(".arriving*"))
    monkeypatch.setattr(wheels.subprocess, "run", run)
    make(checkout)
    assert len(downloads(checkout)) == len(PACKAGES)


def test_old_versions_and_old_notebooks_go(checkout):
    folder = make(checkout)
    (folder / "wheels" / "everywhere-0.9-py3-none-any.whl").write_bytes(b"an older lock's")
    (folder / "notebooks" / "99_old.ipynb").write_text("{}")
    make(checkout)
    assert not {"wheels/everywhere-0.9-py3-none-any.whl", "notebooks/99_old.ipynb"} & names(folder)


def test_another_edition(checkout, tmp_path):
    (tmp_path / "student").mkdir()
    (tmp_path / "student" / "00_first.ipynb").write_text('{"without": "solutions"}')
    folder = make(checkout, notebooks=tmp_path / "student")
    assert "without" in (folder / "notebooks" / "00_first.ipynb").read_text()
    with pytest.raises(BloodcellError, match="--notebooks"):
        make(checkout, notebooks=tmp_path / "nowhere")


def test_without_pages_it_says_how_to_get_them(checkout, capsys):
    (checkout.root / "book" / "_build" / "html" / "index.html").unlink()
    (checkout.root / "book" / "_build" / "html" / "_static" / "a.css").unlink()
    make(checkout)
    assert "make book" in capsys.readouterr().out


def test_check_finds_what_is_changed_missing_or_strange(checkout, capsys):
    folder = make(checkout)
    assert bundle.check(folder) is False and "is whole" in capsys.readouterr().out
    (folder / "notebooks" / "00_first.ipynb").write_text("{ }")
    (folder / "LICENSE").unlink()
    (folder / "wheels" / "other-1-py3-none-any.whl").write_bytes(b"?")
    assert cli.main(["classroom-bundle", "--check", str(folder)]) == 1
    out = capsys.readouterr().out
    assert "changed: notebooks/00_first.ipynb" in out and "missing: LICENSE" in out
    assert "not of this bundle: wheels/other-1-py3-none-any.whl" in out


def test_check_of_an_unfinished_one(tmp_path):
    with pytest.raises(BloodcellError, match="no finished bundle"):
        bundle.check(tmp_path)


def test_a_folder_with_something_else_is_refused(checkout):
    (checkout.folder / "notebooks").mkdir(parents=True)
    (checkout.folder / "notebooks" / "mine.ipynb").write_text("years of work")
    with pytest.raises(BloodcellError, match="something else"):
        make(checkout)
    assert (checkout.folder / "notebooks" / "mine.ipynb").exists()


def test_outside_a_checkout(checkout, capsys):
    (checkout.root / "requirements.lock").unlink()
    assert cli.main(["classroom-bundle", str(checkout.folder)]) == 1
    assert "git clone" in capsys.readouterr().err and not checkout.folder.exists()


def test_a_small_disk(checkout, monkeypatch):
    monkeypatch.setattr(wheels.shutil, "disk_usage", lambda _: SimpleNamespace(free=1e6))
    with pytest.raises(BloodcellError, match="1 MB are free"):
        make(checkout)


def test_pip_without_a_network(checkout, monkeypatch):
    failed = SimpleNamespace(returncode=1, stdout="", stderr="ERROR: No matching distribution found for compiled\n")
    monkeypatch.setattr(wheels.subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(BloodcellError, match="(?s)Python 3.12 on win_amd64.*No matching distribution.*goes on"):
        make(checkout)


def test_a_python_that_is_none(checkout):
    with pytest.raises(BloodcellError, match="write 3.12"):
        bundle.make(checkout.folder, None, ["312"])


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (WINDOWS, {"sys_platform": "win32", "os_name": "nt", "platform_machine": "AMD64"}),
        (MAC, {"sys_platform": "darwin", "os_name": "posix", "platform_machine": "arm64"}),
        (LINUX, {"sys_platform": "linux", "os_name": "posix", "platform_machine": "x86_64"}),
    ],
    ids=lambda value: getattr(value, "platform", ""),
)
def test_markers_are_read_for_the_other_computer(target, expected):
    for environment in target.environments():
        assert expected.items() <= environment.items() and environment["python_version"] == "3.12"


@pytest.mark.parametrize(
    ("target", "fits"),
    [(WINDOWS, "cp312-cp312-win_amd64"), (MAC, "cp312-abi3-macosx_11_0_arm64"), (LINUX, "cp39-abi3-manylinux1_x86_64")],
    ids=lambda value: getattr(value, "platform", ""),
)
def test_tags_of_the_other_computer(target, fits):
    known = {str(tag) for tag in target.tags()}
    assert {fits, "py3-none-any"} <= known
    assert not {"cp311-cp311-win_amd64", "cp312-cp312-macosx_15_0_arm64"} & known


def test_this_computer_can_install_what_is_made_for_it():
    from packaging.tags import sys_tags

    here = wheels.Target("", bundle._python(""))
    assert next(iter(sys_tags())) in here.tags()


def test_the_command_has_a_help(capsys):
    with pytest.raises(SystemExit, match="0"):
        cli.main(["classroom-bundle", "--help"])
    assert "--python-version" in capsys.readouterr().out
