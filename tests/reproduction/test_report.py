"""The page: a row an item, nothing from elsewhere, HTML that closes what it opens, large letters for drawn cells."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from bs4 import BeautifulSoup

from bloodcell_utils import config, course, reproduction
from bloodcell_utils.errors import BloodcellError
from bloodcell_utils.experiments import balance
from bloodcell_utils.reproduction import items, report

VOID = {"meta", "img", "br", "line", "circle", "path"}


class Balance(HTMLParser):
    """Notes every tag that is closed in the wrong place."""

    def __init__(self):
        super().__init__()
        self.open, self.wrong, self.ids = [], [], []

    def handle_starttag(self, tag, attrs):
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


@pytest.fixture(scope="module", autouse=True)
def everywhere():
    """Every item has chapters, whatever the course has so far."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(items, "chapters_of", lambda name: course.load().chapters[:2])
        yield


def write(folder, *made, profile="laptop", outcomes=()):
    """The report of some records, as text."""
    for record in made:
        record.write(folder)
    path = reproduction.write_report(folder, config.profile(profile), outcomes)
    assert path == folder / "reproduction.html"
    return path.read_text("utf-8")


@pytest.fixture(scope="module")
def full_page(everywhere, make_record, tmp_path_factory):
    """A page with every kind of line, and a failure."""
    cells = {"a": (0.9, {"images_per_class": 512, "blocks": 1, "seed": 1}),
             "b": (0.8, {"images_per_class": 256, "blocks": 3, "seed": 1})}  # fmt: skip
    arms = {arm: (0.9, {"arm": arm, "seed": 1}) for arm in balance.ARMS}
    tuned = {"vgg16 fine-tuned": (0.98, {})}
    folds = {"rbf": [0.9, 0.91], "cubic": [0.92, 0.9]}
    svm = {"vgg16 last block": (0.9, {"cross_validation": folds, "cross_validation_training": folds})}
    made = [make_record("svm", models=svm), make_record("finetune", models=tuned),
            make_record("ablation", models=cells), make_record("balance", models=arms)]  # fmt: skip
    failed = reproduction.Outcome(reproduction.Task("svm", "inception_v3"), "failed", "no <weights> & no internet")
    return write(tmp_path_factory.mktemp("records"), *made, outcomes=[failed])


def test_a_row_an_item_and_three_columns(full_page):
    document = BeautifulSoup(full_page, "html.parser")
    heads = [b.get_text() for b in document.select(".items .item th > b")]
    assert heads == list(items.ITEMS)
    columns = [th.get_text() for th in document.select_one(".items thead").find_all("th")]
    assert columns[1:3] == ["Paper", "Measured, 95 % interval"] and columns[-1] == "Verdict"
    (fine_tuned,) = document.select("#fig-12")
    cells = [td.get_text(" ") for td in fine_tuned.select_one("tr.line").find_all("td")]
    assert "accuracy" in cells[0] and cells[1].startswith("96.2") and cells[2].startswith("98.0")


def test_html_closes_what_it_opens(full_page):
    parser = Balance()
    parser.feed(full_page)
    assert (parser.wrong, parser.open) == ([], [])
    assert len(parser.ids) == len(set(parser.ids))


def test_nothing_is_loaded_from_anywhere(full_page):
    document = BeautifulSoup(full_page, "html.parser")
    assert not document.find_all(["script", "link", "iframe", "object", "embed"])
    assert all(img["src"].startswith("data:image/svg+xml;base64,") for img in document.find_all("img"))
    assert not re.search(r"@import|url\(", document.style.get_text())
    assert "default-src 'none'" in document.find("meta", attrs={"http-equiv": True})["content"]


def test_figures_say_what_they_show(full_page):
    document = BeautifulSoup(full_page, "html.parser")
    titles = [figure.h3.get_text() for figure in document.find_all("figure")]
    heads = {title.partition(":")[0] for title in titles}
    numbered = {f"Fig. {number}" for number in (7, 10, 11, 12, 13, 14, 17, 18)}
    assert heads == {"Accuracies", *numbered, "Table 3"}
    assert all(len(img["alt"]) > 5 for img in document.find_all("img"))


def test_failures_are_reported_and_harmless(full_page):
    text = BeautifulSoup(full_page, "html.parser").get_text()
    assert "svm-inception_v3" in text and "no <weights> & no internet" in text
    assert "<weights>" not in full_page


def test_runs_say_where_they_come_from(full_page):
    text = BeautifulSoup(full_page, "html.parser").get_text(" ")
    assert "svm.laptop" in text and "a processor" in text and "fingerprint f" in text and "1.0 min" in text


def test_drawn_cells_are_announced_in_large_letters(tmp_path, make_record):
    text = write(tmp_path, make_record("svm", "sample", "synthetic"), make_record("svm"), profile="sample")
    document = BeautifulSoup(text, "html.parser")
    assert "drawn by a program" in document.select_one("header .drawn").get_text()
    size = re.search(r"\.drawn \{[^}]*font-size: ([\d.]+)rem", text)
    assert float(size[1]) >= 1.5
    assert not document.select("tr.inside, tr.higher, tr.lower"), "no verdict on any number"
    assert "PBC, 400" not in text


def test_real_images_are_no_rehearsal(full_page):
    assert not BeautifulSoup(full_page, "html.parser").select(".drawn")


def test_an_empty_folder_and_a_damaged_record(tmp_path):
    assert "Nothing has been measured yet" in write(tmp_path)
    (tmp_path / "svm.laptop.json").write_text("{")
    assert "svm.laptop.json is not a run record" in write(tmp_path)


def test_the_same_records_give_the_same_page(tmp_path, make_record):
    assert write(tmp_path / "a", make_record("svm")) == write(tmp_path / "b", make_record("svm"))


def test_a_page_that_cannot_be_written(tmp_path):
    (tmp_path / "reproduction.html").mkdir()
    with pytest.raises(BloodcellError, match="reproduction.html is no regular file"):
        report.write_report(tmp_path, config.profile("laptop"))


@pytest.mark.parametrize(
    ("offset", "mark"), [((1, 0.5, 2), "circle"), ((30, 20, 40), "M199"), ((-30, -40, -20), "M1 ")]
)
def test_a_difference_on_its_scale(offset, mark):
    line = reproduction.Line("a", "higher", "higher", offset=offset)
    drawn = reproduction.items_table([reproduction.Row("Fig. 1", "one", (), (line,))], "Figures", str)
    assert mark in drawn
    numbers = [float(x) for x in re.findall(r'(?:x1|x2|cx)="([\d.]+)"', drawn)]
    assert len(numbers) >= 4 and all(0 <= number <= 200 for number in numbers)


def test_chapters_are_linked_in_the_repository(full_page):
    links = [a["href"] for a in BeautifulSoup(full_page, "html.parser").select("tr.item a")]
    assert links[0].startswith("https://") and links[0].endswith("/notebooks/00_first_look.ipynb")


def hostile(record, name, **fields):
    """The text of a record's file in which every text is a name that somebody gave."""
    texts = dict.fromkeys(("profile", "device", "commit", "seed", "subset"), name)
    data = {"name": name, "n_images": 400, "fingerprint": name}
    measured = {name: next(iter(record.models.values()))}
    known = {key: value for key, value in vars(record).items() if key != "predictions"}
    return json.dumps(
        known | texts | {"data": data, "notes": [name], "versions": {name: name}, "models": measured} | fields
    )


def test_records_profiles_and_failures_are_text_and_nothing_else(tmp_path, make_record, holds_names):
    """Of one record the experiment is known, so that it is drawn and judged; of the other not even that."""
    record, laptop = make_record("svm"), config.profile("laptop")

    def make(name):
        (tmp_path / "a.json").write_text(hostile(record, name), "utf-8")
        (tmp_path / "b.json").write_text(hostile(record, name, experiment=name, created=name), "utf-8")
        failed = reproduction.Outcome(reproduction.Task("svm", "inception_v3"), "failed", name)
        return reproduction.write_report(tmp_path, replace(laptop, name=name), [failed]).read_text("utf-8")

    holds_names(make)


def test_a_comparison_is_text_and_nothing_else(holds_names):
    def make(name):
        texts = dict.fromkeys(("what", "printed", "measured", "data", "note"), name)
        lines = [reproduction.Line(kind="higher", verdict=name.replace("`", ""), **texts) for _ in range(2)]
        return reproduction.items_table([reproduction.Row("Fig. 1", name, (), tuple(lines))], "Figures", str)

    holds_names(make)
