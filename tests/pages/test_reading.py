"""What helps a reader along: words explained, the search, ways to run and to take a page along, what machines read."""

import json
import tomllib
from functools import cache
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree as ET

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup
from host import HTML
from PIL import Image

from bloodcell_utils import course

ROOT = HTML.parents[2]
REPOSITORY = urlsplit(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]["Repository"])
HOME = yaml.safe_load((ROOT / "book" / "_config.yml").read_text())["html"]["baseurl"]
CHAPTER = "notebooks/08_confusion_matrix.html"
TERM, CITED = "article a[href*='glossary.html#term-']", "article a[href*='bibliography.html#']"

pytestmark = pytest.mark.skipif(not (HTML / "index.html").is_file(), reason="there is no book yet: run `make book`")
each_chapter = pytest.mark.parametrize("chapter", course.load().chapters, ids=lambda chapter: chapter.name)


@cache
def read(name):
    return BeautifulSoup((HTML / name).read_text("utf-8"), "html.parser")


def test_a_word_is_explained_to_the_pointer_and_to_the_keyboard(page, site):
    page.goto(f"{site}/{CHAPTER}")
    link, tip = page.locator(TERM).first, page.locator("[role=tooltip]")
    assert tip.is_hidden()
    link.hover()
    anchor = urlsplit(link.get_attribute("href")).fragment
    meaning = read("book/glossary.html").find(id=anchor).find_next_sibling("dd").get_text(" ", strip=True)
    assert tip.inner_text().split() == meaning.split()
    page.keyboard.press("Escape")
    assert tip.is_hidden()
    link.focus()
    assert tip.is_visible() and link.get_attribute("aria-describedby") == tip.get_attribute("id")


def test_a_citation_says_what_it_cites_within_the_page(page, site):
    page.set_viewport_size({"width": 600, "height": 500})
    page.goto(f"{site}/{CHAPTER}")
    link, tip = page.locator(CITED).first, page.locator("[role=tooltip]")
    link.scroll_into_view_if_needed()
    link.hover()
    assert len(tip.inner_text()) > 40
    box = tip.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 600 and box["y"] >= 0 and box["y"] + box["height"] <= 500


def test_code_is_folded_by_keyboard_on_all_chapters_until_it_is_asked_for(page, site):
    code, shown = page.locator(".cell_input:visible"), page.locator(".cell_output:visible")
    page.goto(f"{site}/{CHAPTER}")
    lines, outputs = code.count(), shown.count()
    page.get_by_role("button", name="Fold the code away").press("Enter")
    assert lines and not code.count() and shown.count() == outputs
    page.goto(f"{site}/notebooks/01_dataset.html")
    assert shown.count() and not code.count()
    page.get_by_role("button", name="Show the code").press("Space")
    page.goto(f"{site}/{CHAPTER}")
    assert code.count() == lines


@each_chapter
def test_exercises_have_the_numbers_that_teachers_pages_give_them(chapter):
    document = read(f"notebooks/{Path(chapter.file).stem}.html")
    titles = [tag.get_text(" ", strip=True) for tag in document.select(".exercise p.admonition-title")]
    numbers = [f"Exercise {exercise.id.partition('.')[2]}" for exercise in chapter.exercises]
    assert [title.partition(" (")[0] for title in titles] == numbers


@each_chapter
def test_every_link_to_a_word_or_a_source_has_its_text(chapter):
    document = read(f"notebooks/{Path(chapter.file).stem}.html")
    links = {urlsplit(link["href"]).fragment for link in document.select(f"{TERM}, {CITED}")}
    assert links and links == set(json.loads(document.find(id="tips").string))


def test_the_search_finds_a_cell(page, site):
    page.goto(f"{site}/search.html?q=basophil")
    page.wait_for_selector("#search-results li a")
    assert page.locator("#search-results li a").count() >= 5
    page.locator("#search-results li a").first.click()
    page.wait_for_load_state()
    assert "basophil" in page.inner_text("article").lower()


@each_chapter
def test_a_chapter_can_be_run_elsewhere(chapter):
    links = read(f"notebooks/{Path(chapter.file).stem}.html").select(".bd-header-article a")
    where = {urlsplit(link["href"]).netloc: urlsplit(unquote(link["href"])) for link in links if link.has_attr("href")}
    notebook = f"notebooks/{chapter.file}"
    assert (ROOT / notebook).is_file()
    assert where["colab.research.google.com"].path == f"/github{REPOSITORY.path}/blob/main/{notebook}"
    assert where["mybinder.org"].path == f"/v2/gh{REPOSITORY.path}/main"
    assert parse_qs(where["mybinder.org"].query)["urlpath"] == [f"lab/tree/{notebook}"]
    asked = parse_qs(where["nbgitpuller.readthedocs.io"].query)
    opened = f"lab/tree/{Path(REPOSITORY.path).name}/{notebook}"
    assert asked == {"repo": [REPOSITORY.geturl()], "branch": ["main"], "urlpath": [opened]}


@each_chapter
def test_a_chapter_can_be_taken_along(chapter):
    page = HTML / "notebooks" / f"{Path(chapter.file).stem}.html"
    links = read(page).select(".bd-header-article a[href$='.ipynb']")
    (notebook,) = [link["href"] for link in links if not urlsplit(link["href"]).netloc]
    nbformat.validate(nbformat.read((page.parent / notebook).resolve(), as_version=4))


def test_the_feed_tells_each_version():
    feed = ET.parse(HTML / "feed.xml").getroot()
    atom = {"a": "http://www.w3.org/2005/Atom"}
    titles = [entry.findtext("a:title", namespaces=atom) for entry in feed.findall("a:entry", atom)]
    assert titles == ["New in the book", "0.1.0"]
    for element in [feed, *feed.findall("a:entry", atom)]:
        assert element.findtext("a:id", namespaces=atom).startswith(HOME)
        assert "T" in element.findtext("a:updated", namespaces=atom)
    assert read("index.html") and read(CHAPTER).select_one('link[type="application/atom+xml"]')["href"] == "../feed.xml"


def test_the_sitemap_lists_the_pages():
    listed = {place.text for place in ET.parse(HTML / "sitemap.xml").getroot().iter() if place.tag.endswith("loc")}
    assert {f"{HOME}{CHAPTER}", f"{HOME}book/intro.html"} <= listed
    assert all((HTML / place.removeprefix(HOME)).is_file() for place in listed)


def test_an_address_that_is_sent_shows_title_words_and_picture():
    document = read(CHAPTER)
    told = {tag["property"]: tag["content"] for tag in document.find_all("meta", property=True)}
    assert told["og:title"] == "The confusion matrix" and len(told["og:description"]) > 40
    picture = told["og:image"]
    assert picture.startswith(HOME)
    with Image.open(HTML / picture.removeprefix(HOME)) as card:
        assert card.size == (1200, 630)
    assert document.select_one('link[rel="icon"]')


def test_a_missing_page_leads_home_and_to_the_search():
    document = read("404.html")
    assert {link["href"] for link in document.select("a")} == {HOME, f"{HOME}book/glossary.html"}
    assert document.form["action"] == f"{HOME}search.html"
    assert not document.select("link, script, img"), "it is shown at any depth, so it brings everything along"
