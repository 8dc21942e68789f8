"""What people type, and the files that they have: a table of inputs, and what is expected of each.

Every row is a command line, run where `make` has put files; it must end with the expected status and words, without a
traceback, and nothing that was there before may have changed.
"""

import io
import json
import os
import re
import zipfile
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bloodcell_utils import cli
from bloodcell_utils.cells import FOLDERS
from bloodcell_utils.datasets import sample
from bloodcell_utils.evaluation import adaptation


def encoded(kind="JPEG", size=64, **options):
    """A drawn cell as the bytes of a file."""
    stream = io.BytesIO()
    Image.fromarray(CELL).resize((size, size)).save(stream, kind, **options)
    return stream.getvalue()


LAB = sample.sample(per_class=1, size=128)[0]
CELL = LAB[0]
JPEG = encoded()


def cells(folder, per_class=2):
    """A set in a folder: a few different cells of each class."""
    for number, kind in enumerate(FOLDERS * per_class):
        path = folder / kind / f"{kind}_{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.roll(CELL, number, 1)).save(path)


def zipped(path, names, data=JPEG):
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), data)


@dataclass(frozen=True)
class Case:
    """One row: what is typed (words separated by spaces), the status, words on either stream, and what lies around."""

    typed: str
    status: int
    said: str
    make: object = None
    env: dict = field(default_factory=dict)


def write(**files):
    """Files by name, with ``__`` for a slash and ``_DOT_`` for a dot."""

    def make(here):
        for name, data in files.items():
            path = here / name.replace("__", "/").replace("_DOT_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    return make


def several(here):
    for subset in ("train", "test"):
        cells(here / "set" / subset)


def nested(here):
    cells(here / "PBC_dataset_normal_DIB_224" / "PBC_dataset_normal_DIB_224")


def encrypted(here):
    zipped(here / "set.zip", ["ig/0.jpg"])
    data = bytearray((here / "set.zip").read_bytes())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + place] |= 1
    (here / "set.zip").write_bytes(data)


def no_text(here):
    (here / "set").mkdir()
    Path(os.fsdecode(os.fsencode(here / "set") + b"/\xff.jpg")).write_bytes(JPEG)


def record(here, **changes):
    """A whole record, with changes; a value of None takes the field away."""
    from bloodcell_utils.experiments import records

    made = records.Record(
        "svm", "sample", {"a": records.measure([[9, 1], [0, 10]], 1.0)}, ["a", "b"], {}, {"name": "x"}
    )
    content = json.loads(made.write(here / "good").read_text()) | changes
    path = here / "records" / "svm.sample.json"
    path.parent.mkdir()
    path.write_text(json.dumps({name: value for name, value in content.items() if value is not None}))


def damaged(**changes):
    return lambda here: record(here, **changes)


def better(here):
    """A record in which somebody made a number more beautiful."""
    from bloodcell_utils.experiments import records

    record(here, models={"a": records.measure([[9, 1], [0, 10]], 1.0) | {"accuracy": 0.99, "accuracy_ci95": [0.9, 1]}})


def laboratory(here, kinds=FOLDERS, each=5, glass=1.0, folder="lab"):
    """Cells in class folders, as `--labelled` takes them."""
    for number, kind in enumerate(kinds * each):
        path = here / folder / kind / f"{kind}_{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture = np.roll(LAB[FOLDERS.index(kind)], number // len(kinds), (0, 1))
        Image.fromarray((picture * np.array([1, 1, glass])).astype(np.uint8)).save(path)


def two_laboratories(here):
    laboratory(here)
    laboratory(here, glass=0.7, folder="lab/other")


def learnt(here, **changes):
    """A file of `adapt`, with changes to its card; beside a picture."""
    found = adaptation.adapt(np.concatenate([np.roll(LAB, i, 1) for i in range(4)]))
    replace(found, card=found.card | changes).save(here / "lab.npz")
    (here / "a.jpg").write_bytes(JPEG)


RECORD = "results records"
ADAPT = "adapt lab --output lab.npz"
CASES = {
    # subsets, and where a set begins
    "a zip with train and test": Case(
        "data info set.zip",
        1,
        r"holds 2 sets of class folders: test, train\. Name one",
        lambda here: zipped(here / "set.zip", ["train/ig/0.jpg", "test/ig/0.jpg"]),
    ),
    "a folder with train and test": Case("data info set", 1, "holds 2 sets of class folders: .*test, .*train", several),
    "one of them": Case("data info set/train", 0, "16 images", several),
    "a folder nested twice": Case("data info .", 0, "16 images", nested),
    "a name twice in a zip": Case(
        "data info set.zip", 1, "holds ig/0.jpg twice", lambda here: zipped(here / "set.zip", ["ig/0.jpg"] * 2)
    ),
    "a zip packed on Windows": Case(
        "data info set.zip", 0, "1 images", lambda here: zipped(here / "set.zip", ["PBC\\ig\\IG_0.jpg"])
    ),
    "a zip in capitals": Case("data info .", 0, "1 images", lambda here: zipped(here / "PBC.ZIP", ["ig/0.jpg"])),
    "two zips": Case(
        "data info .",
        1,
        "holds 2 sets.*a.zip, .*b.zip",
        lambda here: [zipped(here / f"{name}.zip", ["ig/0.jpg"]) for name in "ab"],
    ),
    "a zip of a zip": Case(
        "data info set.zip",
        1,
        "it wraps download/PBC.zip: unpack it",
        lambda here: zipped(here / "set.zip", ["download/PBC.zip"]),
    ),
    "an encrypted zip": Case("data info set.zip", 1, "is encrypted. Unpack it with its password", encrypted),
    "a tar archive": Case("data info set.zip", 1, "is a tar archive", write(set_DOT_zip=b"\x1f\x8b\x08" + b"x" * 600)),
    "half a zip": Case(
        "data info set.zip", 1, "cut short or not a zip.*nothing was changed", write(set_DOT_zip=b"PK\3\4")
    ),
    "no folder": Case("data info nowhere", 1, "No images found in nowhere"),
    "no set of another laboratory": Case("data info --set bccd nowhere", 1, "bccd is not in nowhere. Fetch it with"),
    "another set than it is called": Case(
        "data verify --set jiangxi set", 1, "of 300 pictures 300 are missing", several
    ),
    "a set that nobody knows": Case("data fetch --set lisc", 2, "invalid choice: 'lisc'"),
    "a set into a file": Case("data fetch --set bccd a", 1, "could not be fetched into a/bccd", write(a=b"a file")),
    "a tiny set on the laptop profile": Case(
        "run svm --profile laptop --output out",
        1,
        "are too few for the profile 'laptop'",
        lambda here: cells(here / "set", 12),
        {"BLOODCELL_DATA_DIR": "set"},
    ),
    "a set with empty classes": Case(
        "run svm --profile laptop --output out",
        1,
        "has no images in the class folder.*basophil",
        lambda here: [(here / "set" / kind).mkdir(parents=True) for kind in FOLDERS],
        {"BLOODCELL_DATA_DIR": "set"},
    ),
    # outputs that would destroy something
    "a star where the table's name belongs": Case(
        "predict --csv a.jpg b.jpg", 1, "a.jpg is a picture", write(a_DOT_jpg=JPEG, b_DOT_jpg=JPEG)
    ),
    "the table onto an image of another name": Case(
        "predict --csv a.dat b.jpg", 1, "a.dat is there and is no text", write(a_DOT_dat=JPEG, b_DOT_jpg=JPEG)
    ),
    "the table onto an input": Case("predict --csv a.txt a.txt", 1, "is one of the images", write(a_DOT_txt=b"text")),
    "the table onto a folder": Case("predict --csv . a.jpg", 1, "is no regular file", write(a_DOT_jpg=JPEG)),
    "the table onto a device": Case("predict --csv /dev/null a.jpg", 1, "is no regular file", write(a_DOT_jpg=JPEG)),
    "the table into a file": Case(
        "predict --csv a/b.csv a.jpg", 1, "b.csv cannot be written", write(a=b"a file", a_DOT_jpg=JPEG)
    ),
    "heat maps into a file": Case(
        "predict --explain a a.jpg", 1, "cannot be written", write(a=b"a file", a_DOT_jpg=JPEG)
    ),
    "a page onto a folder": Case("progress --page .", 1, "is no regular file"),
    "a record into a file": Case("run svm --output a", 1, "cannot be written", write(a=b"a file")),
    "a page onto a picture": Case("progress --page a.jpg", 1, "is no text", write(a_DOT_jpg=JPEG)),
    "questions onto a picture": Case("questions --moodle a.jpg", 1, "is no text", write(a_DOT_jpg=JPEG)),
    "the page onto the progress": Case(
        "progress --page p.json",
        1,
        "holds your progress",
        write(p_DOT_json=b'{"exercises": {}}'),
        {"BLOODCELL_PROGRESS_FILE": "p.json"},
    ),
    "forgetting a folder": Case(
        "progress --reset",
        1,
        "no regular file, so it is left alone",
        write(mine__letter_DOT_txt=b"dear"),
        {"BLOODCELL_PROGRESS_FILE": "mine"},
    ),
    "a slide that is too large to be read": Case(
        "predict --csv a.svs b.jpg", 1, "is no text", write(a_DOT_svs=b"II*\0" + bytes(999), b_DOT_jpg=JPEG)
    ),
    "heat maps among the images": Case(
        "predict set --explain set", 1, "holds images to be read", write(set__a_DOT_jpg=JPEG)
    ),
    "a reproduction into a file": Case("reproduce --output a/b", 1, "cannot be written", write(a=b"a file")),
    "no experiment": Case("reproduce --only |", 2, "no experiment is named"),
    "no folder of records": Case("results nope", 1, "There is no folder nope"),
    "the record of another seed": Case(
        "run svm --backbone vgg16 --seed 7 --output records",
        1,
        "is of another seed or other settings",
        lambda here: record(here),
    ),
    # another laboratory
    "a whole laboratory": Case(ADAPT, 0, "40 cells: their colours are learnt.", laboratory),
    "a whole laboratory with names": Case(f"{ADAPT} --labelled", 0, r"last layer\.\n\s+5  neutrophil", laboratory),
    "adapted to three cells": Case(
        ADAPT, 1, "3 cells say little of a laboratory", lambda here: laboratory(here, ["ig"], 3)
    ),
    "adapted to one kind": Case(
        f"{ADAPT} --labelled", 1, "40 of 40 cells are neutrophil", lambda here: laboratory(here, ["neutrophil"], 40)
    ),
    "adapted to two laboratories": Case(
        ADAPT, 1, "fall into two groups by the colour of their glass", two_laboratories
    ),
    "adapted to few names": Case(
        f"{ADAPT} --labelled", 1, "too few: neutrophil, eosinophil", lambda here: laboratory(here, each=4)
    ),
    "adapted to names that nobody knows": Case(
        f"{ADAPT} --labelled",
        1,
        "lies in 'other', which is no class",
        lambda here: (here / "lab").mkdir() or laboratory(here) or (here / "lab/ig").rename(here / "lab/other"),
    ),
    "adapted to a folder without pictures": Case(
        ADAPT, 1, "There is no image in lab", lambda here: (here / "lab").mkdir()
    ),
    "adapted onto a picture": Case("adapt lab --output a.jpg", 1, "ends in .npz", laboratory),
    "adapted onto arrays of one's own": Case(
        ADAPT,
        1,
        "is no file of `bloodcell adapt`",
        lambda here: laboratory(here) or np.savez(here / "lab.npz", a=np.arange(3)),
    ),
    "a laboratory of other weights": Case(
        "predict --adapted lab.npz a.jpg", 1, "made for other weights", lambda here: learnt(here, network="0" * 12)
    ),
    "half a laboratory": Case(
        "predict --adapted lab.npz a.jpg",
        1,
        "is no file of `bloodcell adapt`, or is damaged",
        lambda here: learnt(here) or (here / "lab.npz").write_bytes((here / "lab.npz").read_bytes()[:900]),
    ),
    "no laboratory": Case("predict --adapted lab.npz a.jpg", 1, "lab.npz", write(a_DOT_jpg=JPEG)),
    "a laboratory": Case("predict --adapted lab.npz a.jpg", 0, "a.jpg", learnt),
    "heat maps of a laboratory": Case(
        "predict --adapted lab.npz --explain maps a.jpg", 1, "the network as it came", learnt
    ),
    # links and depth
    "a folder behind a link": Case(
        "predict set",
        0,
        "link/b.jpg",
        lambda here: [
            write(set__a_DOT_jpg=JPEG, other__b_DOT_jpg=JPEG)(here),
            (here / "set/link").symlink_to("../other"),
        ],
    ),
    "a link to where it came from": Case(
        "predict set",
        0,
        "a.jpg",
        lambda here: [write(set__a_DOT_jpg=JPEG)(here), (here / "set/loop").symlink_to("../set")],
    ),
    "pictures far below a class": Case(
        "data info set", 1, "2 sets", write(set__ig__a_DOT_jpg=JPEG, set__ig__b__c__d__e_DOT_jpg=JPEG)
    ),
    "a zip with dots": Case(
        "data info set.zip", 0, "2 images", lambda here: zipped(here / "set.zip", ["./ig/0.jpg", "platelet/1.jpg"])
    ),
    # pictures
    "a picture like a thread": Case(
        "predict a.png",
        1,
        "40000 pixels are too many",
        lambda here: Image.new("1", (1, 40000)).save(here / "a.png"),
    ),
    "an EPS that is called jpg": Case(
        "predict a.jpg b.jpg",
        1,
        "a.jpg is a text file",
        write(a_DOT_jpg=b"%!PS-Adobe-3.0 EPSF-3.0\n" * 20, b_DOT_jpg=JPEG),
    ),
    "a picture of a telephone": Case(
        "predict a.heic", 1, "HEIC picture, as telephones save them", write(a_DOT_heic=b"\0\0\0 ftypheic" + b"\0" * 60)
    ),
    "a jfif": Case("predict a.jfif", 0, "a.jfif", write(a_DOT_jfif=JPEG)),
    "a folder of rare kinds": Case(
        "predict set",
        0,
        r"(?s)a\.jp2.*b\.ppm.*c\.jpe",
        write(set__a_DOT_jp2=encoded("JPEG2000"), set__b_DOT_ppm=encoded("PPM"), set__c_DOT_jpe=JPEG),
    ),
    "too many pixels": Case(
        "predict a.png",
        1,
        "9000 x 9000 pixels are too many",
        lambda here: Image.new("1", (9000, 9000)).save(here / "a.png"),
    ),
    "an endless file": Case(
        "predict a.jpg", 1, "no regular file", lambda here: (here / "a.jpg").symlink_to("/dev/zero")
    ),
    "a pipe": Case("predict a.jpg", 1, "no regular file", lambda here: os.mkfifo(here / "a.jpg")),
    "no name": Case("predict |", 1, "name of an image is empty"),
    "a pattern in quotes": Case("predict *.jpg", 0, "a.jpg", write(a_DOT_jpg=JPEG)),
    "a crop of nothing": Case("predict --crop 5e-324 a.jpg", 1, "must be from 0.01 to 1", write(a_DOT_jpg=JPEG)),
    "a crop that is no number": Case("predict --crop nan a.jpg", 1, "must be from 0.01 to 1", write(a_DOT_jpg=JPEG)),
    "a name that a terminal obeys": Case(
        "predict set", 0, r"set/\\x1b\[2J\\n\.jpg", lambda here: write(**{"set__\x1b[2J\n_DOT_jpg": JPEG})(here)
    ),
    "a name that is no text": Case(
        "predict set",
        0,
        r"\\udcff",
        lambda here: [
            (here / "set").mkdir(),
            (Path(os.fsdecode(os.fsencode(here / "set") + b"/\xff.jpg"))).write_bytes(JPEG),
        ],
    ),
    "a very long name": Case("predict " + "x" * 5000, 1, "cannot be read: File name too long"),
    # options
    "a negative seed": Case("run svm --seed -1", 2, "no whole number from 0"),
    "a seed of 33 bits": Case("run svm --seed 4294967296", 2, "no whole number from 0"),
    "no pixels": Case("run svm --size 0", 2, "no whole number from 1"),
    "a home that nobody has": Case("data info", 1, "nosuchuser", env={"BLOODCELL_DATA_DIR": "~nosuchuser/data"}),
    # records and progress
    "a record without a field": Case(RECORD, 1, "svm.sample.json is not a run record", damaged(data=None)),
    "a record without models": Case(RECORD, 1, "it has no model", damaged(models={})),
    "a record with a list of models": Case(RECORD, 1, "is not a run record", damaged(models=[])),
    "a record with ragged counts": Case(
        RECORD, 1, "is not a run record", damaged(models={"a": {"confusion": [[1], [2, 3]]}})
    ),
    "a record whose counts contradict its accuracy": Case(
        RECORD,
        1,
        "contradict each other",
        better,
    ),
    "a record of brackets": Case(
        RECORD, 1, "is not a run record", write(**{"records__svm_DOT_sample_DOT_json": b"[" * 100_000})
    ),
    "a whole record beside it": Case("results good", 0, "95.00 %", damaged(models={})),
    "progress of brackets": Case(
        "progress",
        1,
        "begin anew",
        write(progress_DOT_json=b"[" * 100_000),
        {"BLOODCELL_PROGRESS_FILE": "progress.json"},
    ),
    "progress without end": Case(
        "progress",
        1,
        "begin anew",
        write(progress_DOT_json=b'{"exercises": {"a": {"tries": 1e999}}}'),
        {"BLOODCELL_PROGRESS_FILE": "progress.json"},
    ),
    "progress in a pipe": Case(
        "progress",
        1,
        "no regular file",
        lambda here: os.mkfifo(here / "progress.json"),
        {"BLOODCELL_PROGRESS_FILE": "progress.json"},
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_command_says_what_is_wrong_and_destroys_nothing(case, tmp_path, monkeypatch, capsys):
    if case.make:
        case.make(tmp_path)
    monkeypatch.chdir(tmp_path)
    for name, value in case.env.items():
        monkeypatch.setenv(name, value)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and not path.is_symlink()}
    try:
        status = int(cli.main([word.replace("|", "") for word in case.typed.split(" ")]))
    except SystemExit as err:  # of argparse
        status = err.code
    out, err = capsys.readouterr()
    assert re.search(case.said, out + err), (out, err)
    assert status == case.status and "Traceback" not in err and "0x" not in out + err
    assert {path: path.read_bytes() for path in before} == before
