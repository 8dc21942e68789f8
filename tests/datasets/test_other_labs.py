"""Sets of other laboratories: fetched, known by their pixels, cut into windows; the real ones where they are found."""

import hashlib
import io
import os
import shutil
import zipfile
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bloodcell_utils import cli
from bloodcell_utils.cells import FOLDERS
from bloodcell_utils.datasets import download, other_labs
from bloodcell_utils.datasets.cache import key
from bloodcell_utils.errors import DataError, DownloadError

REAL = Path(os.environ.get("BLOODCELL_LABS_DIR") or "nowhere")  # before the tests have settings of their own
COUNTS = {
    "jiangxi": {"neutrophil": 176, "lymphocyte": 53, "monocyte": 48, "eosinophil": 22, "basophil": 1},
    "cellavision": {"lymphocyte": 37, "neutrophil": 33, "monocyte": 15, "eosinophil": 12, "basophil": 3},
    "bccd": {"neutrophil": 204, "eosinophil": 84, "lymphocyte": 33, "monocyte": 20, "basophil": 2},
}
XML = """<annotation>{}</annotation>"""
OBJECT = """<object>
 <name>{}</name><pose>Unspecified</pose>
 <bndbox> <xmin>{}</xmin> <ymin>{}</ymin>\n <xmax>{}</xmax> <ymax>{}</ymax> </bndbox>
</object>"""
BOXES = [
    ("F0", "WBC", 101, 151, 200, 230), ("F0", "RBC", 1, 1, 50, 40), ("F0", "Platelets", 300, 200, 320, 225),
    ("F0", "RBC", 9, 9, 9, 9), ("F1", "RBC", 11, 21, 60, 60), ("F2", "WBC", 1, 1, 90, 80),
]  # fmt: skip


def originals():
    """What a laboratory publishes: {set: {path: (bytes, class)}}."""
    rng = np.random.default_rng(0)

    def picture(kind, height, width):
        stream = io.BytesIO()
        image = Image.fromarray(rng.integers(0, 255, (height, width, 3), np.uint8))
        image.save(stream, kind, **({"dpi": (0, 0)} if kind == "BMP" else {}))
        return stream.getvalue()

    cells = {f"Dataset 1/{i:03}.bmp": (picture("BMP", 20 + i, 24), str(i)) for i in range(1, 6)}
    data = cells["Dataset 1/005.bmp"][0]
    cells["Dataset 1/005.bmp"] = data[:34] + bytes(4) + data[38:], "5"
    fields = {}
    for i, kind in enumerate(("Neutrophil", "Eosinophil", "")):  # of F1 a cell is named, and has no box
        fields[f"BCCD/JPEGImages/F{i}.jpg"] = picture("JPEG", 480, 640), kind
        text = XML.format("".join(OBJECT.format(*box[1:]) for box in BOXES if box[0] == f"F{i}"))
        fields[f"BCCD/Annotations/F{i}.xml"] = text.encode(), ""
    return {"jiangxi": cells, "bccd": fields}


@pytest.fixture
def labs(tmp_path, monkeypatch):
    """A folder with two small sets as they are published; the manifest is theirs."""
    rows = []
    for name, files in originals().items():
        for path, (data, kind) in files.items():
            place = tmp_path / "labs" / name / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
            rows.append((name, path, str(len(data)), hashlib.sha256(data).hexdigest(), kind))
    table = pd.DataFrame(rows, columns=["set", "path", "bytes", "sha256", "class"])
    boxes = key(*sorted(",".join(map(str, box)) for box in BOXES))
    monkeypatch.setattr(other_labs, "manifest", lambda: table)
    monkeypatch.setitem(other_labs.LABS, "bccd", replace(other_labs.LABS["bccd"], boxes=boxes))
    monkeypatch.setenv("BLOODCELL_LABS_DIR", str(tmp_path / "labs"))
    return tmp_path / "labs"


@pytest.fixture
def server(labs):
    """GitHub's files on this machine; `server.wrong` are paths that answer with something else."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            web.asked.append(self.path)
            _, owner, repository, _, path = unquote(self.path).split("/", 4)
            files = web.files[f"{owner}/{repository}"]
            status, body = web.wrong.get(path, (200, files[path][0]))
            self.send_response(status)
            self.send_header("Content-Length", len(body))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as web:
        web.files = {other_labs.LABS[name].repository: files for name, files in originals().items()}
        web.asked, web.wrong, web.base = [], {}, f"http://127.0.0.1:{web.server_port}"
        Thread(target=web.serve_forever, daemon=True).start()
        yield web
        web.shutdown()


def as_png(folder, names=FOLDERS, masks=True):
    """The cells of jiangxi as they may lie with somebody else: PNG in folders of classes, with masks beside them."""
    kinds = other_labs.LABS["jiangxi"].classes
    for path, (data, kind) in originals()["jiangxi"].items():
        place = folder / "jiangxi" / names[FOLDERS.index(kinds[kind])] / Path(path).with_suffix(".png").name
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.open(io.BytesIO(data)).save(place)
        if masks:
            (folder / "jiangxi-masks").mkdir(exist_ok=True)
            Image.new("L", (8, 8)).save(folder / "jiangxi-masks" / place.name)
    return folder


def test_a_set_is_the_same_in_every_form(labs, tmp_path):
    published = other_labs.index("jiangxi")
    assert published["class"].tolist() == ["neutrophil", "lymphocyte", "monocyte", "eosinophil", "basophil"]
    copy = as_png(tmp_path / "copy")
    packed = shutil.make_archive(str(tmp_path / "copy"), "zip", copy)
    for path in (copy / "jiangxi", packed, labs, labs / "jiangxi"):
        table = other_labs.index("jiangxi", path)
        assert table["class"].tolist() == published["class"].tolist()
        assert other_labs.fingerprint(table) == other_labs.fingerprint(published)
        np.testing.assert_array_equal(other_labs.images(table, 16), other_labs.images(published, 16))


def test_boxes_are_the_same_in_a_table_and_in_xml(labs, tmp_path):
    with zipfile.ZipFile(tmp_path / "bccd.zip", "w") as archive:
        for path in (labs / "bccd" / "BCCD" / "JPEGImages").iterdir():
            archive.write(path, f"bccd/fields/{path.name}")
        lines = ["field,object,xmin,ymin,xmax,ymax,wbc_type", *(",".join(map(str, box)) + "," for box in BOXES)]
        archive.writestr("bccd/boxes.csv", "\n".join(lines))
    for of, count in (("white", 1), ("red", 2), ("empty", 2)):
        table, packed = other_labs.index("bccd", of=of), other_labs.index("bccd", tmp_path, of=of)
        assert len(table) == count
        assert other_labs.fingerprint(table) == other_labs.fingerprint(packed)
    white = other_labs.index("bccd").iloc[0]
    assert white[["class", "left", "top", "right", "bottom"]].tolist() == ["neutrophil", 100, 150, 200, 230]


def test_empty_windows_hold_no_cell_and_a_seed_decides(labs):
    table = other_labs.index("bccd", of="empty")
    assert [Path(path).stem for path in table["path"]] == ["F0", "F2"]
    assert (table["right"] - table["left"]).eq(240).all() and table["left"].ge(0).all() and table["right"].le(640).all()
    for row in table.itertuples():
        for stem, kind, left, top, right, bottom in BOXES:
            if stem == Path(row.path).stem and kind != "RBC":
                apart = row.right < left or right <= row.left or row.bottom < top or bottom <= row.top
                assert apart, (row, kind)
    assert other_labs.index("bccd", of="empty").equals(table)
    assert not other_labs.index("bccd", of="empty", seed=1).equals(table)


def test_a_window_has_its_cell_in_the_middle_and_goes_on_as_a_mirror(labs, tmp_path):
    picture = np.zeros((60, 80, 3), np.uint8)
    picture[:20, 60:] = 200
    Image.fromarray(picture).save(tmp_path / "cell.png")
    row = {"source": str(tmp_path), "path": "cell.png", "left": 60, "top": 0, "right": 80, "bottom": 20, "field": 2.0}
    image = other_labs.images(pd.DataFrame([row]), 40)[0, :, :, 0]
    assert (image[:29, 11:] == 200).all()  # the square, and its image beyond two borders
    assert (image[31:] == 0).all() and (image[:, :9] == 0).all()
    assert (other_labs.images(pd.DataFrame([row]), 20, field=1) == 200).all()


@pytest.mark.parametrize("field", [0, -1, 11, float("nan")])
def test_a_field_that_is_none(labs, field):
    with pytest.raises(DataError, match="field="):
        other_labs.images("jiangxi", field=field)


def test_other_names_of_classes_are_asked_for(labs, tmp_path):
    theirs = ["NEU", *FOLDERS[1:]]
    copy = as_png(tmp_path / "copy", theirs)
    with pytest.raises(DataError, match="'NEU', where .*classes={'NEU': 'neutrophil'}"):
        other_labs.index("jiangxi", copy)
    table = other_labs.index("jiangxi", copy, classes={"NEU": "neutrophil"})
    assert table["class"].tolist() == other_labs.index("jiangxi")["class"].tolist()
    with pytest.raises(DataError, match="'NEU'"):
        other_labs.index("jiangxi", copy, classes={"NEU": "monocyte"})


def test_a_cell_in_the_folder_of_another_class(labs, tmp_path):
    with pytest.raises(DataError, match="'eosinophil', where .* is no class .* known as neutrophil"):
        other_labs.index("jiangxi", as_png(tmp_path / "copy", ["eosinophil", "neutrophil", *FOLDERS[2:]]))


def damage(path):
    path.write_bytes(path.read_bytes()[:-1] + b"\7")


@pytest.mark.parametrize(
    "harm", [Path.unlink, damage, lambda path: path.write_bytes(b""), lambda path: shutil.copy(path, f"{path}.bmp")],
    ids=["missing", "another hash", "empty", "there twice"],
)  # fmt: skip
def test_a_set_that_is_not_as_published(labs, harm):
    harm(labs / "jiangxi" / "Dataset 1" / "003.bmp")
    with pytest.raises(DataError, match="not the set jiangxi as published: of 5 pictures 1 .*fetch --set jiangxi"):
        other_labs.index("jiangxi")


def test_boxes_that_were_changed(labs):
    path = labs / "bccd" / "BCCD" / "Annotations" / "F0.xml"
    path.write_text(path.read_text().replace("230", "231"))
    with pytest.raises(DataError, match="boxes around the cells .* changed"):
        other_labs.index("bccd")


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\3\4" + b"x" * 99])
def test_what_is_no_zip(labs, tmp_path, content):
    (tmp_path / "jiangxi.zip").write_bytes(content)
    with pytest.raises(DataError, match="jiangxi.zip is cut short"):
        other_labs.index("jiangxi", tmp_path / "jiangxi.zip")


def test_the_zip_of_another_set(labs, tmp_path):
    packed = shutil.make_archive(str(tmp_path / "jiangxi"), "zip", labs / "bccd")
    with pytest.raises(DataError, match="of 5 pictures 5 are missing"):
        other_labs.index("jiangxi", packed)


def test_what_is_not_there(labs, tmp_path):
    with pytest.raises(DataError, match="not in .*--set cellavision.*BLOODCELL_LABS_DIR"):
        other_labs.index("cellavision")
    with pytest.raises(DataError, match="no set 'lisc'"):
        other_labs.index("lisc")
    with pytest.raises(DataError, match="no windows of 'red'"):
        other_labs.index("jiangxi", of="red")


@pytest.mark.parametrize("name", ["jiangxi", "bccd"])
def test_a_set_arrives_whole(server, tmp_path, name):
    folder = download.fetch_set(name, tmp_path / "new", base=server.base, progressbar=False)
    there = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert there == {path: data for path, (data, _) in originals()[name].items()}
    other_labs.index(name, tmp_path / "new")
    asked = len(server.asked)
    download.fetch_set(name, tmp_path / "new", base=server.base, progressbar=False)
    assert len(server.asked) == asked == len(there)


@pytest.mark.parametrize(
    ("answer", "said"),
    [((404, b""), "404"), ((200, b"<html>log in</html>"), "SHA-256 differs"), ((200, b""), "SHA-256 differs")],
    ids=["gone", "another file", "empty"],
)
def test_a_file_that_does_not_arrive_is_named_and_the_rest_is_kept(server, tmp_path, answer, said):
    server.wrong["Dataset 1/004.bmp"] = answer
    with pytest.raises(DownloadError, match=f"004.bmp: .*{said}.*goes on from there"):
        download.fetch_set("jiangxi", tmp_path / "new", base=server.base, progressbar=False)
    assert not list((tmp_path / "new").rglob("*004*")) and (tmp_path / "new" / "jiangxi" / "Dataset 1" / "001.bmp").exists()
    server.wrong.clear()
    before = set(server.asked)
    download.fetch_set("jiangxi", tmp_path / "new", base=server.base, progressbar=False)
    assert any("001.bmp" in path for path in before)
    assert len(other_labs.index("jiangxi", tmp_path / "new")) == 5


def test_a_file_that_was_damaged_is_fetched_again(server, labs):
    damage(labs / "jiangxi" / "Dataset 1" / "002.bmp")
    download.fetch_set("jiangxi", base=server.base, progressbar=False)
    assert [path.rsplit("/")[-1] for path in server.asked] == ["002.bmp"]
    assert len(other_labs.index("jiangxi")) == 5


def test_no_network_and_a_folder_that_cannot_be_written(labs, tmp_path):
    with pytest.raises(DownloadError, match="127.0.0.1:9/zxaoyou.*goes on from there"):
        download.fetch_set("jiangxi", tmp_path / "new", base="http://127.0.0.1:9", progressbar=False)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(DownloadError, match="could not be fetched into"):
        download.fetch_set("jiangxi", tmp_path / "file", progressbar=False)
    assert (tmp_path / "file").read_text() == "mine"


def test_the_commands(server, labs, monkeypatch, capsys):
    monkeypatch.setattr(download.fetch_set, "__kwdefaults__", {"base": server.base, "progressbar": False})
    damage(labs / "jiangxi" / "Dataset 1" / "002.bmp")
    assert cli.main(["data", "verify", "--set", "jiangxi"]) == 1
    assert "as published" in capsys.readouterr().err
    assert cli.main(["data", "fetch", "--set", "jiangxi"]) == 0
    assert "The whole set jiangxi, pixel for pixel" in capsys.readouterr().out
    assert cli.main(["data", "info", "--set", "jiangxi", str(labs)]) == 0
    out = capsys.readouterr().out
    assert "GPL-3" in out and "10.1016/j.micron.2018.01.010" in out and "basophil" in out


def test_the_manifest_says_what_is_published():
    rows = other_labs.manifest()
    assert rows["set"].value_counts().to_dict() == {"bccd": 728, "jiangxi": 300, "cellavision": 100}
    assert rows["sha256"].str.fullmatch("[0-9a-f]{64}").all() and not rows["path"].str.contains(r"\.\.|^/").any()
    for name, lab in other_labs.LABS.items():
        assert set(rows.loc[rows["set"] == name, "class"]) - {""} == set(lab.classes)
        assert set(lab.classes.values()) <= set(FOLDERS)
    # The tables of numbers that the laboratory publishes are made from the manifest, byte for byte.
    for name, head, digest in (
        ("jiangxi", "image ID,class label", "25bc0d0aca66a982866c74da4824f61c53aff89cea00af15ca2abdd8fa5d9aef"),
        ("cellavision", "image ID,class", "e511533f00d46d2bca67c8ed5035e766083f96daf0230c4891cbe41ef456b0d6"),
    ):
        labels = rows.loc[rows["set"] == name, "class"]
        text = "".join(f"{line}\r\n" for line in [head, *(f"{i},{label}" for i, label in enumerate(labels, 1))])
        assert hashlib.sha256(text.encode()).hexdigest() == digest


@pytest.mark.parametrize("name", other_labs.LABS)
def test_the_real_sets(name):
    try:
        other_labs.locate(name, REAL)
    except DataError:
        pytest.skip(f"BLOODCELL_LABS_DIR does not name a folder with the set {name}")
    table = other_labs.index(name, REAL)
    assert table["class"].value_counts().to_dict() == COUNTS[name]
    images = other_labs.images(table.groupby("class").head(2), 32)
    assert images.shape[1:] == (32, 32, 3) and 100 < images.mean() < 240
    if name == "bccd":
        assert len(other_labs.index(name, REAL, of="red")) == 4153
        assert len(other_labs.index(name, REAL, of="empty")) == 322
