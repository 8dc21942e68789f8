"""What is kept of a learner's work, the list of it, and the certificate."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from bs4 import BeautifulSoup

from bloodcell_utils import cli, course
from bloodcell_utils.course import certificate, progress
from bloodcell_utils.errors import BloodcellError

ALL = [exercise.id for chapter in course.load().chapters for exercise in chapter.exercises]


@pytest.fixture(autouse=True)
def file(tmp_path, monkeypatch):
    """A learner who begins."""
    path = tmp_path / "data" / "progress.json"
    monkeypatch.setenv("BLOODCELL_PROGRESS_FILE", str(path))
    return path


def test_nothing_yet():
    assert progress.load() == {}
    assert all(not solved for _, solved, _ in progress.overview())


def test_tries_are_counted_until_it_is_solved():
    assert [progress.record("dataset.2", False) for _ in range(2)] == [1, 2]
    assert progress.record("dataset.2", True) == 0
    assert progress.load()["dataset.2"]["tries"] == 3
    (left,) = [left for chapter, _, left in progress.overview() if chapter.name == "dataset"]
    assert left == ["dataset.1", "dataset.3"]


def test_two_notebooks_at_once_lose_nothing():
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda i: progress.record(f"x.{i % 5}", False), range(20)))
    assert {name: known["tries"] for name, known in progress.load().items()} == {f"x.{i}": 4 for i in range(5)}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"exercises": {"dataset.1": {"tries": "many"}}}'])
def test_a_damaged_file_is_an_error_and_can_be_set_aside(text, file):
    file.parent.mkdir()
    file.write_text(text)
    with pytest.raises(BloodcellError, match="--reset"):
        progress.load()
    assert progress.reset().read_text() == text
    assert progress.load() == {}


def test_resetting_twice_keeps_both(file):
    for name in ("dataset.1", "dataset.2"):
        progress.record(name, True)
        progress.reset()
    kept = [json.loads(path.read_text())["exercises"] for path in sorted(file.parent.glob("progress.?.json"))]
    assert [list(known) for known in kept] == [["dataset.1"], ["dataset.2"]]
    assert progress.reset() is None


def test_a_folder_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("BLOODCELL_PROGRESS_FILE", str(tmp_path / "file" / "progress.json"))
    with pytest.raises(BloodcellError, match="progress"):
        progress.record("dataset.1", True)


def test_the_list_in_a_terminal(capsys):
    progress.record(ALL[0], True)
    assert cli.main(["progress"]) == 0
    shown = capsys.readouterr().out
    assert "✓··" in shown and f"1 of {len(ALL)} exercises solved; next: {ALL[1]}" in shown


def test_the_page_shows_what_is_left_and_at_the_end_the_certificate(tmp_path, capsys):
    path = tmp_path / "page.html"
    for name in ALL[:-1]:
        progress.record(name, True)
    assert cli.main(["progress", "--page", str(path)]) == 0
    page = BeautifulSoup(path.read_text("utf-8"), "html.parser")
    assert ALL[-1] in page.table.get_text() and not page.select(".certificate")
    progress.record(ALL[-1], True)
    assert cli.main(["progress", "--page", str(path), "--name", "Ada <Lovelace>"]) == 0
    page = BeautifulSoup(path.read_text("utf-8"), "html.parser")
    assert page.select_one(".certificate .name").get_text() == "Ada <Lovelace>"
    assert f"all {len(ALL)} exercises" in page.get_text()
    assert "All solved" in certificate.text()
    assert not page.find_all(["script", "img", "link"]), "it stands alone"


def test_beginning_anew(capsys):
    progress.record(ALL[0], True)
    assert cli.main(["progress", "--reset"]) == 0
    assert "kept in" in capsys.readouterr().out and progress.load() == {}


def test_the_name_on_the_certificate_is_text_and_nothing_else(holds_names, monkeypatch):
    known = {name: {"tries": 1, "solved": "2026-01-02"} for name in ALL}
    monkeypatch.setattr(progress, "load", lambda: known)
    holds_names(certificate.page)
