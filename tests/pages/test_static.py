"""The built pages: they are complete, they lead where they say, and they need no network. Run by `make test`."""

import re
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup

from bloodcell_utils import course
from bloodcell_utils.experiments import records

HTML = Path(__file__).parents[2] / "book" / "_build" / "html"
PAGES = sorted(path for path in HTML.rglob("*.html") if "_static" not in path.relative_to(HTML).parts)

pytestmark = pytest.mark.skipif(not PAGES, reason="there is no book yet: run `make book`")

LOADING = {"audio", "embed", "iframe", "img", "input", "link", "object", "script", "source", "track", "video"}
ONLY_NAMED = {"author", "canonical", "help", "index", "license", "next", "prev", "search"}


@cache
def read(path):
    return BeautifulSoup(path.read_text("utf-8"), "html.parser")


@cache
def anchors(path):
    return {tag[key] for key in ("id", "name") for tag in read(path).find_all(attrs={key: True})}


def urls(tag):
    return [tag[key] for key in ("href", "src", "data", "poster") if tag.get(key)]


def is_elsewhere(url):
    return bool(urlsplit(url).netloc)


def broken(page, url):
    """What is wrong with a link, or None."""
    parts = urlsplit(url)
    if parts.scheme or parts.netloc:
        return None
    target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if not target.is_file():
        return f"{url} does not exist"
    if number := re.fullmatch(r"/(\d+)", parts.fragment):  # of a slide, from 0
        there = int(number[1]) < len(read(target).select(".slides > section"))
        return None if there else f"{url} has no such slide"
    if target.suffix == ".html" and parts.fragment and unquote(parts.fragment) not in anchors(target):
        return f"{url} has no such place"
    return None


each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(HTML).as_posix())


@each_page
def test_links_lead_somewhere(page):
    problems = [broken(page, url) for tag in read(page).find_all(True) for url in urls(tag)]
    assert not [problem for problem in problems if problem]


@each_page
def test_nothing_is_loaded_from_another_host(page):
    loading = [tag for tag in read(page).find_all(LOADING) if not ONLY_NAMED & set(tag.get("rel", []))]
    assert not [url for tag in loading for url in urls(tag) if is_elsewhere(url)]
    inline = " ".join(tag.get_text() for tag in read(page).find_all(["script", "style"]))
    assert not re.findall(r"(?:import|url|fetch|src\s*=)[\s(]*[\"']?(?:https?:)?//[^\"')\s]+", inline)


def test_styles_load_nothing_from_another_host():
    remote = re.compile(r"(?:@import\s+|url\()\s*[\"']?(?:https?:)?//[^\"')\s]+")
    found = {css.name: remote.findall(css.read_text("utf-8", "replace")) for css in HTML.rglob("*.css")}
    assert not {name: hits for name, hits in found.items() if hits}


@each_page
def test_every_picture_says_what_it_shows(page):
    silent = [tag.get("src") for tag in read(page).find_all("img") if len((tag.get("alt") or "").strip()) < 5]
    assert not [src for src in silent if src]


@pytest.mark.parametrize("chapter", course.load().chapters, ids=lambda chapter: chapter.name)
def test_chapters_are_complete(chapter):
    page = HTML / "notebooks" / chapter.file.replace(".ipynb", ".html")
    document = read(page)
    assert document.h1.get_text().rstrip("#") == chapter.title
    assert chapter.question in document.select_one(".tag_chapter").get_text()
    for exercise in chapter.exercises:
        assert exercise.id in anchors(page)
        assert document.select(f'.solution a[href="#{exercise.id}"]'), f"{exercise.id} has no solution"


@pytest.mark.parametrize("chapter", course.load().chapters, ids=lambda chapter: chapter.name)
def test_a_chapter_says_whose_cells_it_shows_and_what_it_quotes(chapter):
    said = read(HTML / "notebooks" / chapter.file.replace(".ipynb", ".html")).select_one("h1 + .provenance").get_text()
    assert "drawn by a program" in said
    source = (HTML.parents[2] / "notebooks" / chapter.file).read_text("utf-8")
    for name in re.findall(r'records\.load\(\\"(\w+)\\", \\"laptop\\"', source):
        record = records.load_record(name, "laptop")
        words = (name, record.profile, record.created[:10], record.data["fingerprint"], record.commit)
        assert all(word in said for word in words)


@pytest.mark.parametrize("name", ["convolution", "features_svm", "fine_tuning", "confusion_matrix"])
def test_a_reader_is_asked_and_moves_something_before_it_is_explained(name):
    document = read(HTML / "notebooks" / course.chapter(name).file.replace(".ipynb", ".html"))
    explorer = document.select_one(".bc-kernel, .bloodcell-frames, .bc-matrix")
    section = explorer.find_parent("section")
    before = [tag for tag in explorer.find_all_previous(["p", "div"]) if section in tag.parents]
    assert any(tag.name == "p" and "?" in tag.get_text() for tag in before)
    assert not [tag for tag in before if "math" in tag.get("class", [])]


@pytest.mark.parametrize("name", ["intro", "results", "reproduction"])
def test_pages_of_numbers_name_their_records(name):
    assert "records" in read(HTML / "book" / f"{name}.html").select_one("h1 + .provenance").get_text()


def test_the_map_and_the_results_are_there():
    first = read(HTML / "book" / "intro.html")
    tracks, chapters = (
        first.select_one(part).get_text().replace("’", "'") for part in ("article table", ".course-picture")
    )
    assert all(track.outcome in tracks for track in course.load().tracks)
    assert all(chapter.question in chapters for chapter in course.load().chapters)
    listed = [link["href"].split("/")[-1] for link in first.select("#the-map a[href*=notebooks]")]
    assert listed == [chapter.file.replace(".ipynb", ".html") for chapter in course.load().chapters], "each once"
    results = read(HTML / "book" / "results.html")
    assert results.select_one("article table, article .admonition")


def test_the_dashboard_is_there():
    page = read(HTML / "book" / "reproduction.html")
    assert len(page.select(".reproduction tbody")) == 28
    assert "87.4" in page.select_one("#fig-11").get_text()


def test_formulas_are_set_by_the_books_own_mathjax():
    with_formulas = [page for page in PAGES if read(page).select(".math")]
    for page in with_formulas:
        assert [tag for tag in read(page).find_all("script", src=True) if "_static/mathjax/" in tag["src"]]
    assert list((HTML / "_static" / "mathjax" / "output" / "chtml" / "fonts" / "woff-v2").glob("*.woff"))
