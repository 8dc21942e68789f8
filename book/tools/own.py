"""Run the program of the last chapter, `notebooks/on_your_own.py`, and keep what it answered as a record.

usage: python book/tools/own.py [--profile laptop] [--each 300]

On real images the lines that the chapter names are changed: VGG-16 with the weights of ImageNet and what prepares
its images, the ends of its blocks, the size of the images. The rest of the program is not.
"""

import argparse
import os
import runpy
import tempfile
from pathlib import Path

import numpy as np

from bloodcell_utils import config, datasets
from bloodcell_utils.datasets.loading import reader
from bloodcell_utils.experiments.records import Collector
from bloodcell_utils.models import backbones, write_base

PROGRAM = Path(__file__).resolve().parents[2] / "notebooks" / "on_your_own.py"


def main():
    """Run the program in a folder of its own, and write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", choices=("sample", "laptop"), default="sample")
    parser.add_argument("--each", type=int, default=300, help="images of each class, at most (default: %(default)s)")
    options = parser.parse_args()
    profile = config.profile(options.profile)
    table = datasets.load_index(profile).groupby("class").head(options.each)
    program = PROGRAM.read_text("utf-8")
    if profile.data != "synthetic":
        program = for_photographs(program, profile.tuning)
    with tempfile.TemporaryDirectory() as folder:
        unpack(table, Path(folder, "cells"))
        write_base(Path(folder, "base.keras"))
        Path(folder, "program.py").write_text(program, "utf-8")
        os.chdir(folder)
        ran = runpy.run_path("program.py")
        index = datasets.pbc.index("cells")
        found = collected(profile, index, ran)
        os.chdir(PROGRAM.parent)
    print(found.write())


def for_photographs(program, tuning):
    """The program with the lines that the chapter has for photographs, as large as the profile tunes with."""
    weights, ends = backbones.weights_file("vgg16"), list(backbones.backbone("vgg16").blocks)
    changes = {
        "base, prepare = ": f"base = keras.applications.VGG16(include_top=False, weights={str(weights)!r})\n"
        "prepare = keras.applications.vgg16.preprocess_input",
        "ENDS = ": f"ENDS = {ends}",
        "SIZE, MIDDLE = ": f"SIZE, MIDDLE = {tuning.size}, {tuning.crop}",
    }
    for start, line in changes.items():
        program = "\n".join(line if old.startswith(start) else old for old in program.split("\n"))
    return program


def unpack(table, folder):
    """The files of an index as a folder with a folder for each class."""
    with reader() as read:
        for source, path in zip(table["source"], table["path"], strict=True):
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(read(source, path))


def collected(profile, index, ran):
    """A record of both models, on the program's own test images."""
    order = {path: i for i, path in enumerate(index["path"])}
    rows = np.array([order[f"{file.parent.name}/{file.name}"] for file in ran["files"]])
    subset = np.full(len(index), "train", object)
    subset[rows[ran["choose"]]], subset[rows[ran["test"]]] = "validation", "test"
    index = index.assign(subset=subset)
    split = datasets.Split(index, datasets.labels(index), 0)
    found = Collector("on_your_own", profile, split, seed=0)
    numbers = np.array([datasets.labels(index[index["class"] == kind])[0] for kind in ran["kinds"]])
    sorted_test = np.argsort(rows[ran["test"]])
    for name, key in (("frozen features and a machine", "by_svm"), ("fine-tuned network", "tuned")):
        found.add(name, numbers[ran[key]][sorted_test])
    return found.record(f"{PROGRAM.name}, {len(ran['files']):,} images, {ran['base'].name}, {ran['SIZE']} px.")


if __name__ == "__main__":
    main()
