"""The project says the same thing everywhere, and builds from what it says."""

import json
import os
import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

import bloodcell_utils
from bloodcell_utils import config, course

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
REQUIRED = [Requirement(line) for line in PROJECT["dependencies"]]
REPOSITORY = PROJECT["urls"]["Repository"]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PYTHONS = [f"3.{minor}" for minor in range(9, 30) if SpecifierSet(PROJECT["requires-python"]).contains(f"3.{minor}")]


def test_conda_installs_the_same_requirements():
    *conda, pip = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    listed = [Requirement(line) for line in conda + pip["pip"][:-1] if line != "pip"]
    python = Requirement(f"python{PROJECT['requires-python']}")
    assert sorted(listed, key=str) == sorted([python, *REQUIRED], key=str)
    assert pip["pip"][-1] == "--editable ."


def test_the_lock_meets_every_requirement_with_hashes_and_from_anywhere():
    lock = (ROOT / "requirements.lock").read_text()
    locked = {}
    for name, version in re.findall(r"^([\w.-]+)==([\w.]+)", lock, flags=re.M):
        locked.setdefault(name, []).append(version)
    for requirement in REQUIRED + [Requirement(line) for line in PROJECT["optional-dependencies"]["dev"]]:
        assert all(requirement.specifier.contains(version) for version in locked[requirement.name]), requirement
    hashed = re.findall(r"^[\w.-]+==.*\\\n    --hash=sha256:", lock, flags=re.M)
    assert len(hashed) == sum(map(len, locked.values()))
    assert "://" not in lock and "--index" not in lock and "--find-links" not in lock


def test_the_same_versions_of_python_everywhere():
    allowed = re.search(r"not in \[(.*?)\]\)", (ROOT / "Makefile").read_text())[1]
    assert re.findall(r"\((\d), (\d+)\)", allowed) == [tuple(version.split(".")) for version in PYTHONS]
    tested = yaml.safe_load((ROOT / ".github" / "workflows" / "test.yml").read_text())["jobs"]["test"]["strategy"]
    assert tested["matrix"]["python"] == PYTHONS
    named = f"Python {', '.join(PYTHONS[:-1])} or {PYTHONS[-1]}"
    for file in ("README.md", "Makefile", "book/setup.md"):
        assert named in (ROOT / file).read_text("utf-8"), file


def test_one_address_of_the_repository():
    assert yaml.safe_load((ROOT / "book" / "_config.yml").read_text())["repository"]["url"] == REPOSITORY
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["repository-code"] == REPOSITORY
    for file in ("README.md", "book/setup.md"):
        assert REPOSITORY in (ROOT / file).read_text("utf-8"), file


def test_one_title_and_one_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == bloodcell_utils.__version__
    titles = {
        citation["title"],
        yaml.safe_load((ROOT / "course.yml").read_text())["title"],
        yaml.safe_load((ROOT / "book" / "_config.yml").read_text())["title"],
    }
    assert len(titles) == 1


@pytest.mark.parametrize("path", [*WORKFLOWS, ROOT / ".ci" / "run"], ids=lambda path: path.name)
def test_what_the_machines_run_can_be_run_here(path):
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.M))
    called = [call.split() for call in re.findall(r"\bmake ((?:[a-z]+\b(?![=-]) ?)+)", path.read_text())]
    assert called and all(set(call) <= targets for call in called)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_have_jobs_with_steps(path):
    workflow = yaml.safe_load(path.read_text())
    assert workflow[True], "YAML reads the key `on` as true"
    for job in workflow["jobs"].values():
        assert job["runs-on"] and all("uses" in step or "run" in step for step in job["steps"])


def test_ci_runs_the_command_of_the_readme():
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    assert (ROOT / ".ci" / "run").read_text().splitlines()[-1] == "make test"
    readme = (ROOT / "README.md").read_text("utf-8")
    assert readme.index("make book") < readme.index("make test") < readme.index("## ")


def locked(name):
    """The version of a package in the lock."""
    return re.search(rf"^{name}==(\S+)", (ROOT / "requirements.lock").read_text(), flags=re.M)[1]


@pytest.mark.parametrize("tool", ["ruff", "codespell"])
def test_before_a_commit_the_tools_are_those_of_the_lock(tool):
    repos = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    (rev,) = [repo["rev"] for repo in repos if any(hook["id"].startswith(tool) for hook in repo["hooks"])]
    assert rev == f"v{locked(tool)}"


def test_who_is_stuck_finds_the_chapter():
    form = yaml.safe_load((ROOT / ".github" / "ISSUE_TEMPLATE" / "stuck-in-a-chapter.yml").read_text("utf-8"))
    options = {field["id"]: field["attributes"].get("options") for field in form["body"]}
    assert options["chapter"] == [chapter.title for chapter in course.load().chapters]
    assert options["profile"] == list(config.PROFILES)


@pytest.mark.parametrize("name", ["stuck-in-a-chapter", "i-teach-with-this"])
def test_issue_forms_are_complete(name):
    form = yaml.safe_load((ROOT / ".github" / "ISSUE_TEMPLATE" / f"{name}.yml").read_text("utf-8"))
    assert form["name"] and form["description"]
    asked = [field for field in form["body"] if field["type"] != "markdown"]
    assert len({field["id"] for field in asked}) == len(asked) and all(f["attributes"]["label"] for f in asked)


def test_the_memory_of_every_chapter_is_measured():
    measured = json.loads((ROOT / "book" / "memory.json").read_text())
    assert list(measured["chapters"]) == [chapter.name for chapter in course.load().chapters]
    assert all(chapter["peak_rss_mb"] > 0 and chapter["versions"] for chapter in measured["chapters"].values())


def test_binder_has_a_python_that_is_allowed():
    assert (ROOT / "binder" / "runtime.txt").read_text().strip().removeprefix("python-") in PYTHONS


def test_binder_installs_the_lock_and_then_the_package():
    lines = (ROOT / "binder" / "requirements.txt").read_text().splitlines()
    (asked,) = [line for line in lines if not line.startswith("#")]
    assert (ROOT / "binder" / asked.removeprefix("-r ")).resolve() == ROOT / "requirements.lock"
    build = ROOT / "binder" / "postBuild"
    assert os.access(build, os.X_OK) and "--no-deps --editable ." in build.read_text()


def test_the_changelog_knows_this_version():
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    headings = re.findall(r"^## \[(.+?)\]", text, flags=re.M)
    assert headings[:2] == ["Unreleased", bloodcell_utils.__version__]
    assert all(f"\n[{heading}]: http" in text for heading in headings)
