"""How the book is put together, before Jupyter Book sees it."""

import base64
import hashlib
import importlib.util
import io
import json
import re
import tarfile
from pathlib import Path

import kernels
import numpy as np
import pytest
from bs4 import BeautifulSoup
from markdown_it import MarkdownIt

from bloodcell_utils import course, reproduction
from bloodcell_utils.errors import BloodcellError
from bloodcell_utils.experiments import records
from bloodcell_utils.plots import style

BOOK = Path(__file__).parents[2] / "book"


def load(name):
    spec = importlib.util.spec_from_file_location(Path(name).stem, BOOK / name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def build(tmp_path, monkeypatch):
    module = load("tools/build.py")
    monkeypatch.setattr(module, "BUILD", tmp_path)
    return module


def test_the_contents_are_the_course(build):
    files = [entry["file"] for part in build.toc()["parts"] for entry in part["chapters"]]
    assert [f"notebooks/{chapter.file}" for chapter in course.load().chapters] == [
        f"{file}.ipynb" for file in files if file.startswith("notebooks/")
    ]
    assert all((BOOK.parent / f"{file}.md").is_file() for file in files if file.startswith("book/"))


def test_pages_go_when_the_contents_change(build, tmp_path):
    page = tmp_path / "html" / "old.html"
    for before, stays in (("another: list", False), (None, True)):
        page.parent.mkdir(exist_ok=True)
        page.touch()
        if before:
            (tmp_path / "_toc.yml").write_text(before)
        build.write_toc(tmp_path / "_toc.yml")
        assert page.exists() == stays


def test_the_callers_settings_do_not_reach_the_sample():
    caller = {"BLOODCELL_PROFILE": "full", "BLOODCELL_DATA_DIR": "d", "BLOODCELL_WEIGHTS_DIR": "w", "HOME": "h"}
    sample, laptop = kernels.environment("sample", caller), kernels.environment("laptop", caller)
    assert (sample["BLOODCELL_PROFILE"], laptop["BLOODCELL_PROFILE"]) == ("sample", "laptop")
    assert "BLOODCELL_DATA_DIR" not in sample and "BLOODCELL_WEIGHTS_DIR" not in sample
    assert laptop["BLOODCELL_DATA_DIR"] == "d" and sample["HOME"] == "h"


def test_notebooks_run_again_when_what_they_read_changes(tmp_path):
    fingerprint = load("_ext/reexecute.py").fingerprint
    (tmp_path / "bloodcell_utils" / "__pycache__").mkdir(parents=True)
    (tmp_path / "bloodcell_utils" / "cells.py").write_text("CELLS = 8")
    before = fingerprint(tmp_path)
    (tmp_path / "bloodcell_utils" / "__pycache__" / "cells.pyc").write_bytes(b"compiled")
    assert fingerprint(tmp_path) == before
    (tmp_path / "bloodcell_utils" / "cells.py").write_text("CELLS = 9")
    changed = fingerprint(tmp_path)
    (tmp_path / "course.yml").write_text("chapters: []")
    assert len({before, changed, fingerprint(tmp_path)}) == 3


def test_the_table_of_results_shows_what_was_recorded():
    models = {"svm": records.measure(np.diag([90, 80]) + np.array([[0, 10], [20, 0]]), printed=87.4)}
    record = records.Record("svm", "laptop", models, ["a", "b"], {}, {"name": "pbc"}, created="2026-01-02T03:04:05")
    title, _, _, _, row, _ = load("_ext/results_table.py").table(record)
    assert title == "**svm**, profile `laptop`: 200 test images, measured on 2026-01-02"
    assert row == "| svm | 85.00 | 79.39 to 89.29 | 85.00 | 87.4 |"


def test_the_story_of_the_first_page_is_still_true():
    story = BeautifulSoup(load("_ext/cell_story.py").story(""), "lxml").select("li")
    home, elsewhere = story[3].figcaption.get_text(), [text.get_text() for text in story[5].select(".pair p")]
    assert "say:\nmonocyte" in home
    assert any(not text.startswith("monocyte") for text in elsewhere), "the answer changes, or there is none"


def test_what_the_course_says_of_itself_on_the_pages():
    pages = load("_ext/course_pages.py")
    _, _, *rows = pages.who_are_you()
    assert len(rows) == len(course.load().tracks)
    (session,) = pages.track_plan("taster")
    assert "90 min" in session and "[You against the model](/notebooks/19_you_against_the_model.ipynb)" in session
    clock = "\n".join(pages.clock_plan("day"))
    assert "| 09:10 | 32 | **Pairs** work through [A first look](/notebooks/00_first_look.ipynb)" in clock
    assert "quiz and exercises at home: −15 |" in clock and "| 12:40 | 60 | *lunch* |" in clock
    assert re.search(r'<a href="\.\./\.\./slides/day\.html#/\d+">\d+', clock)
    assert "| 17:00 | | *end* |" in clock and "**Left out:** [Convolution]" in clock
    _, _, *rows = pages.syllabus_table("twelve_weeks")
    assert len(rows) == sum(len(chapter.objectives) for chapter in course.load().chapters)
    assert all(re.search(r"(exercise|question) [\w.]+ \|$", row) for row in rows)
    assert "exercise dataset.2" in "\n".join(pages.chapter_facts("dataset"))


def test_the_dashboard_has_a_group_an_item_and_what_its_filter_asks_for():
    dashboard = load("_ext/reproduction_dashboard.py")
    page = BeautifulSoup(dashboard.dashboard(reproduction.checklist(records.read_all(BOOK / "results"))), "lxml")
    items = page.select("section[data-group] tbody")
    assert len(items) == 28 and all(page.select(f"section[data-group={name}] tbody") for name in reproduction.GROUPS)
    lines = page.select("tr[data-count]")
    counted = {}
    for line in lines:
        (kind,) = set(line["class"]) & set(reproduction.KINDS)
        counted[kind] = counted.get(kind, 0) + int(line["data-count"])
    assert counted == {entry["class"][0]: int(entry.b.text) for entry in page.select(".tally li")}
    assert page.select_one("#table-1 a")["href"] == "../notebooks/01_dataset.html"
    text = page.select_one("#fig-11").get_text(" ", strip=True)
    measured = records.load_record("svm", "workstation", BOOK / "results").models["vgg16 last block"]["accuracy"]
    assert f"87.4\N{NO-BREAK SPACE}% (the abstract says 86) {100 * measured:.1f}" in text
    drawn = BeautifulSoup(dashboard.drawn(reproduction.Evidence(records.read_all(BOOK / "results"))), "lxml")
    assert [figure.h3.text.partition(":")[0] for figure in drawn.select("figure")] == [
        f"Fig. {number}" for number in (7, 14, 17, 18)
    ]
    assert all(img["src"].startswith("data:image/svg+xml") and img["alt"] for img in drawn.select("img"))


def test_what_comes_from_npm_is_what_was_pinned(tmp_path, monkeypatch):
    npm = load("_ext/npm.py")
    packed = tmp_path / "toy-1.0.tgz"
    (tmp_path / "toy.js").write_text("toy")
    with tarfile.open(packed, "w:gz") as archive:
        archive.add(tmp_path / "toy.js", "package/toy.js")
    digest = base64.b64encode(hashlib.sha512(packed.read_bytes()).digest()).decode()
    pinned = {"toy": ("1.0", f"sha512-{digest}", ("toy.js",)), "lacks": ("1.0", f"sha512-{digest}", ("other.js",))}
    monkeypatch.setattr(npm, "PACKAGES", pinned)
    assert npm.fetch("toy", tmp_path)["toy.js"].read_text() == "toy"
    packed.rename(tmp_path / "lacks-1.0.tgz")
    with pytest.raises(BloodcellError, match="lacks other.js"):
        npm.fetch("lacks", tmp_path)
    with pytest.raises(BloodcellError, match="when there is a network"):  # the archive is gone; the tests have none
        npm.fetch("toy", tmp_path)


def drawn(**options):
    fig, ax = style.figure(2, 1)
    ax.text(0.2, 0.5, "on the page")
    ax.text(0.8, 0.5, "on a colour", color="white", **options)
    stream = io.StringIO()
    fig.savefig(stream, format="svg")
    return stream.getvalue()


def test_a_figure_turns_its_greys_on_a_dark_page_and_nothing_else():
    figures = load("_ext/figures.py")
    assert figures.dark(255) == "#121212" and figures.dark(0) == "#ced6dd"
    plain = drawn()
    themed = figures.themed(plain)
    assert re.sub(r"<style>@media.*?</style>", "", themed) == plain, "on a light page it is what it was"
    rules = re.search(r"@media \(prefers-color-scheme: dark\) \{ (.*?) \}</style>", themed)[1]
    assert '[style*="fill: #ffffff"]:not(#on-colour *) { fill: #121212 !important }' in rules
    assert "0072b2" not in rules.lower()
    assert 'id="on-colour"' in drawn(**style.ON_COLOUR) and 'id="on-colour"' not in plain


def test_photographs_in_a_figure_are_compressed_and_maps_are_not():
    figures = load("_ext/figures.py")
    rng = np.random.default_rng(0)
    for colours, kind in ((4, "png"), (256, "webp")):
        fig, ax = style.figure(2, 2)
        ax.imshow(rng.integers(0, colours, (40, 40, 3), dtype=np.uint8) * (255 // (colours - 1)), interpolation="none")
        ax.axis("off")
        stream = io.StringIO()
        fig.savefig(stream, format="svg")
        found = re.findall(r"data:image/(\w+);base64", figures.light(stream.getvalue()))
        assert found == [kind]


def test_the_feed_is_the_list_of_changes():
    changes = load("_ext/changes_feed.py")
    text = "# Changes\n\n## [Unreleased]\n\n- [A page](book/setup.md) & more\n\n## [0.1.0] - 2026-01-02\n\n- <Two>\n"
    text += "\n[0.1.0]: https://example.org/0.1.0\n"
    assert list(changes.versions(text)) == [
        ("Unreleased", None, "- [A page](book/setup.md) & more"),
        ("0.1.0", "2026-01-02", "- <Two>"),
    ]
    feed = changes.feed(text, "https://example.org/", "A book", "2026-02-03T04:05:06Z").decode()
    assert "https://example.org/book/setup.html" in feed
    assert re.findall(r"<updated>(.*?)</updated>", feed) == ["2026-02-03T04:05:06Z"] * 2 + ["2026-01-02T00:00:00Z"]


def test_the_one_sheet_keeps_what_can_apply_in_the_order_of_all_pages(tmp_path):
    one = load("_ext/one_style.py")
    assert one.in_order([["a", "b", "d"], ["a", "c", "d"], ["b", "c"]]) == ["a", "b", "c", "d"]
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "more.css").write_text(".in { background: url(dot.png) } .gone { color: red }")
    css = """@import "deep/more.css"; .in, .out { color: red } .in:not(.out) > [class~=out] { top: 0 } #out { top: 0 }
        @media print { .out { top: 0 } } @media print { .in\\:side, .in { top: 0 } } p { background: url("data:x") }"""
    kept = one.needed(css, {"in"}, tmp_path, "all.css").split("\n")
    assert kept == [
        ".in{background: url(deep/dot.png)}",
        ".in{color: red}",
        ".in:not(.out) > [class~=out]{top: 0}",
        "@media print {.in{top: 0}}",
        'p{background: url("data:x")}',
    ]


def test_the_one_sheet_is_made_again_when_it_would_be_another(tmp_path):
    one = load("_ext/one_style.py")
    sheet = tmp_path / "a.css"
    sheet.write_text(".in { top: 0 }")
    first = one.key(tmp_path, ["a.css"], {"in", "prose"})
    (tmp_path / one.FILE).write_text("what was made")
    assert one.key(tmp_path, ["a.css"], {"in", "other", "words"}) == first
    different = {one.key(tmp_path, ["a.css"], {"prose"}), one.key(tmp_path, ["a.css", "b.css"], {"in"})}
    sheet.write_text(".in { top: 1px }")
    assert len({first, *different, one.key(tmp_path, ["a.css"], {"in"})}) == 4


def test_the_pages_say_which_of_their_goals_were_missed():
    rows = [{"what": what, "value": value, "unit": "s", "goal": 1} for what, value in (("paint", 1.01), ("lab", 1.0))]
    made = {"created": "2026-01-02T03:04:05+00:00", "device": "a laptop", "browser": "Chromium 1"}
    head, *_, paint, lab = load("_ext/vitals_table.py").table({**made, "rows": rows})
    assert head == "Measured on 2026-01-02, a laptop, Chromium 1."
    assert paint == "| paint | 1.01 s | 1 s | **missed** |" and lab == "| lab | 1.0 s | 1 s | met |"


def test_records_are_text_on_the_pages_and_nothing_else(holds_names, tmp_path):
    source = BOOK / "results" / "svm.laptop.json"
    content = json.loads(source.read_text("utf-8"))
    line, results = load("_ext/provenance_line.py"), load("_ext/results_table.py")
    markdown = MarkdownIt("commonmark").enable("table")

    def written(name):
        texts = dict.fromkeys(("experiment", "profile", "commit", "subset"), name)
        models = {name: next(iter(content["models"].values()))}
        path = tmp_path / "a.json"
        path.write_text(
            json.dumps(content | texts | {"data": content["data"] | {"name": name}, "models": models}), "utf-8"
        )
        return path

    holds_names(lambda name: line.numbers([written(name)], "results.html"))
    holds_names(lambda name: markdown.render("\n".join(results.table(records.read(written(name))))))
