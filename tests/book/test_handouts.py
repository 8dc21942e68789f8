"""The handouts: complete, from their sources, and nothing given away where nothing should be."""

import re
from functools import cache

import handouts
import pytest
from bs4 import BeautifulSoup

from bloodcell_utils import cells, course
from bloodcell_utils.experiments import records


@cache
def page():
    return BeautifulSoup(handouts.html(), "html.parser")


def section(name):
    return page().find("section", id=name)


def test_each_handout_has_its_section_and_each_section_its_handout():
    names = [sheet.file.removesuffix(".pdf") for sheet in handouts.sheets()]
    assert sorted(tag["id"] for tag in page().find_all("section")) == sorted(names)
    assert {name for sheet in handouts.sheets() for name in sheet.chapters} <= {c.name for c in course.load().chapters}


def test_the_sheet_without_names_gives_none_away():
    nameless = str(section("kinds")).replace("data:image", "")
    assert len(section("kinds").find_all("img")) == len(cells.CELLS)
    assert not [cell.name for cell in cells.CELLS if cell.name in nameless]
    shown, named = ([tag["src"] for tag in section(name).find_all("img")] for name in ("kinds", "kinds-key"))
    assert shown == named, "numbered alike"
    assert [tag.text.split("\xa0")[-1].strip() for tag in section("kinds-key").find_all("strong")] == [
        cells.CELLS[i].name for i in handouts.ORDER
    ]


def test_the_matrix_is_the_records():
    record = records.load_record("finetune", "laptop")
    expected = record.confusion("vgg16 fine-tuned")
    for name, names in (("matrix", True), ("matrix-wall", False)):
        found = [[int(td.text) for td in row.find_all("td")[:8]] for row in section(name).select("tbody tr")[:8]]
        assert found == expected.tolist()
        assert all((cell.name in section(name).get_text()) == names for cell in cells.CELLS)
    assert not re.search(r"\d", " ".join(td.text for td in section("matrix-empty").find_all("td")))


def test_the_window_holds_the_number_that_the_chapter_computes():
    rows = [[float(td.text) for td in row.find_all("td")] for row in section("window").table.find_all("tr")]
    kernel = [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]
    answer = sum(rows[3 + i][3 + j] * kernel[i][j] for i in range(3) for j in range(3))
    assert answer == pytest.approx(2.90, abs=0.04)  # printed with two digits each


def test_frames_are_as_wide_as_the_network_sees():
    assert [round(224 * share) for _, share in handouts._reach()] == [5, 14, 40, 92, 196]  # as tests/models has them


def test_all_that_a_shopping_list_should_name_is_on_it():
    for track in course.load().tracks:
        chapters, brought, printed = handouts.shopping(track)
        asked = [item for _, items in chapters for item in items] + brought
        text = section(f"shopping-{track.name}").get_text()
        for name in {name for session in track.sessions for name in session.chapters}:
            assert len(handouts.before_class(name)) > 1 and set(handouts.before_class(name)) <= set(asked)
        assert all(sheet.title in text for sheet in printed)
        assert "](" not in text and "{" not in text
        assert not [
            item for _, items in chapters for item in items if item.startswith(("Ask students", "Ask everyone"))
        ]


def test_the_shopping_list_of_the_taster_is_for_a_class_without_code():
    text = section("shopping-taster").get_text()
    for needed in ("book/lab/game.html", "book/lab/index.html", "telephone", "a desk, and a breakfast", "Eight kinds"):
        assert needed in text
    assert not re.search(r"doctor|matrix|shuffled|Thirty|programmers|bundle", text)
    asked = " ".join(handouts.shopping(course.track("day"))[1])
    assert "bring one image" in asked, "the lab of the afternoon lives on it"


def test_what_the_teachers_pages_ask_to_print_is_a_handout():
    asked = {
        chapter.name: [item for item in handouts.before_class(chapter.name) if re.match("Print|Bring", item)]
        for chapter in course.load().chapters
    }
    printable = {name for name, items in asked.items() if re.search(r"print|paper|sheet|table", " ".join(items), re.I)}
    offered = {name for sheet in handouts.sheets() for name in sheet.chapters}
    linked = {path.stem for path in handouts.TEACHING.glob("*.md") if "handouts.md" in path.read_text("utf-8")}
    assert printable and printable <= offered and printable <= linked
