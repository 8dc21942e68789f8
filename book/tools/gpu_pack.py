"""What travels to a machine with a graphics card: images, weights and wheels in one folder; and how it is read."""

import hashlib
import io
import json
import os
import re
import subprocess
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from PIL import Image, features

from bloodcell_utils.config import profile
from bloodcell_utils.datasets import pbc
from bloodcell_utils.datasets.loading import load_images
from bloodcell_utils.datasets.pictures import decode
from bloodcell_utils.datasets.splits import Split, clean
from bloodcell_utils.errors import BloodcellError
from bloodcell_utils.experiments.provenance import provenance
from bloodcell_utils.files import replace_file
from bloodcell_utils.models import backbones

ROOT = Path(__file__).resolve().parents[2]
LIMIT, SPARE = 60 * 2**20, 2**19  # bytes that travel, the repository among them; what is kept free of them
MOST_IMAGES = 18_000_000  # bytes
SIDE = 16  # cells on a sheet, each way
WHEELS = ("keras", "filelock", "lazy-loader", "namex", "optree", "platformdirs", "rich", "tqdm")
ABOUT, IMAGES, CELLS = "pack.json", "images.zip", "cells.json"


def pack(folder, *, size=128, kind="AVIF", python="3.12", platform="x86_64-manylinux_2_28"):
    """Fill a folder that git ignores with all images, VGG-16's weights in half precision, and wheels of Keras.

    The images lie on sheets: a file for each would spend a third of its bytes on headers. They show the part of the
    picture that the profile ``workstation`` shows, in the best quality that leaves all that travels, the repository
    included, below `LIMIT`.

    Parameters
    ----------
    folder : path-like
    size : int
        Side of the images in pixels.
    kind : {"AVIF", "WEBP"}
        AVIF takes half the bytes, and needs Pillow 11.3 there.
    python, platform : str
        Of the machine with the card, as uv calls them.

    Returns
    -------
    dict
        What `ABOUT` holds.

    Raises
    ------
    BloodcellError
        If git would take the folder, images or weights are missing or are others, or it is too much.
    """
    folder = Path(folder).resolve()
    if folder.is_relative_to(ROOT) and subprocess.run(["git", "check-ignore", "-q", folder], cwd=ROOT).returncode:
        raise BloodcellError(
            f"Git would take {folder}, and images and weights with it: choose dist/gpu, it ignores that."
        )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ABOUT).unlink(missing_ok=True)  # until all is there
    write_weights(folder)
    fetch_wheels(folder / "wheels", python, platform)
    repository = _repository()
    others = sum(path.stat().st_size for path in _inside(folder) if path.name != IMAGES)
    table, crop = pbc.index(), profile("workstation").tuning.crop
    images, distinct = load_images(table, size, crop), table.drop_duplicates("sha256")  # copies must stay copies
    room = min(MOST_IMAGES, LIMIT - SPARE - repository - others)
    sheets, quality = encoded(images, distinct.index.to_numpy(), kind, room)
    number = {digest: i for i, digest in enumerate(distinct["sha256"])}
    cells = {"paths": table["path"].tolist(), "tiles": table["sha256"].map(number).tolist()}
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(CELLS, json.dumps(cells), zipfile.ZIP_LZMA)
        for i, sheet in enumerate(sheets):
            archive.writestr(f"{i:03}.{kind.lower()}", sheet)
    replace_file(folder / IMAGES, stream.getvalue())
    sizes = {path.relative_to(folder).as_posix(): path.stat().st_size for path in _inside(folder)}
    about = {
        "images": len(table), "size": size, "crop": crop, "format": kind, "quality": quality, "bytes": sizes,
        "repository": repository, "all": repository + sum(sizes.values()), "commit": provenance()["commit"],
        "sha256": {name: _digest(folder / name) for name in sizes},
    }  # fmt: skip
    if about["all"] > LIMIT:
        raise BloodcellError(f"{about['all']:,} bytes would travel, of at most {LIMIT:,}: take a smaller --size.")
    replace_file(folder / ABOUT, json.dumps(about, indent=1).encode())
    return about


def load(folder):
    """What was packed.

    Parameters
    ----------
    folder : path-like

    Returns
    -------
    about : dict
        As `pack` gave it.
    split : datasets.Split
        The images, cleaned and split as everywhere.

    Raises
    ------
    BloodcellError
        If the folder is no pack or was damaged, or Pillow here does not read its format.
    """
    folder = Path(folder)
    try:
        about = json.loads((folder / ABOUT).read_text("utf-8"))
        wrong = [name for name, digest in about["sha256"].items() if _digest(folder / name) != digest]
    except (OSError, ValueError, KeyError) as err:
        raise BloodcellError(
            f"{folder} is no whole pack ({err}): make it with `gpu.py pack`, carry all of it."
        ) from err
    if wrong:
        raise BloodcellError(f"{folder} was damaged on its way: {', '.join(wrong)}. Carry it again.")
    if not features.check(about["format"].lower()):
        raise BloodcellError(f"Pillow here reads no {about['format']}: pack the images again, with --format WEBP.")
    size = about["size"]

    def tiles(sheet):
        rows = decode(sheet, None).reshape(SIDE, size, SIDE, size, 3)
        return rows.transpose(0, 2, 1, 3, 4).reshape(-1, size, size, 3)

    with zipfile.ZipFile(folder / IMAGES) as archive, ThreadPoolExecutor(os.cpu_count()) as pool:
        cells = json.loads(archive.read(CELLS))
        sheets = [archive.read(name) for name in sorted(archive.namelist()) if name != CELLS]
        images = np.concatenate(list(pool.map(tiles, sheets)))
    table = pd.DataFrame({"source": str(folder), "path": cells["paths"], "tile": cells["tiles"], "batch": 1})
    parts, digests = table["path"].str.split("/"), [hashlib.sha256(image).hexdigest() for image in images]
    table["class"], prefix = parts.str[0], parts.str[1].str.split("_")
    table["subtype"] = prefix.str[0].where(prefix.str.len() > 1, "")
    table = clean(table.assign(width=size, height=size, sha256=[digests[tile] for tile in table["tile"]]))
    return about, Split(table, pbc.labels(table), images=images[table["tile"].to_numpy()])


def encoded(images, rows, kind, room):
    """Sheets of images in the best quality that fits.

    Parameters
    ----------
    images : numpy.ndarray of uint8, shape (n, size, size, 3)
    rows : numpy.ndarray of int
        Which of them, in which order.
    kind : str
        Pillow's name of a format.
    room : int
        Bytes, the list of names included.

    Returns
    -------
    sheets : list of bytes
    quality : int
        Pillow's, 1-95.

    Raises
    ------
    BloodcellError
        If not even the lowest quality fits.
    """
    each, size = SIDE**2, images.shape[1]

    def sheet(some, quality):
        cells = images[np.resize(some, each)].reshape(SIDE, SIDE, size, size, 3)  # the last sheet is filled up
        stream, picture = io.BytesIO(), Image.fromarray(cells.transpose(0, 2, 1, 3, 4).reshape(SIDE * size, -1, 3))
        picture.save(stream, kind, quality=quality)
        return stream.getvalue()

    starts = range(0, len(rows), each)
    few = np.random.default_rng(0).choice(rows, min(len(rows), each), replace=False)
    most = 0.99 * (room - 16 * len(rows)) / len(starts)  # of a sheet; 16 bytes hold a name
    low, high = 1, 96
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if len(sheet(few, middle)) <= most else (low, middle)
    for quality in range(low, 0, -1):  # sheets of one class may be larger than a mixed one
        sheets = [sheet(rows[start : start + each], quality) for start in starts]
        if sum(map(len, sheets)) <= room - 16 * len(rows):
            return sheets, quality
    raise BloodcellError(f"{len(rows):,} images of {size} px do not fit into {room:,} bytes: take a smaller --size.")


def write_weights(folder):
    """Write ImageNet's weights of VGG-16 with kernels in half precision; others are an error.

    Parameters
    ----------
    folder : pathlib.Path
    """
    if not backbones.has_weights("vgg16"):
        backbones.build("vgg16", 32)  # downloads them, or says what to do
    backbones.build("vgg16", 32)  # whether they are those of this network
    target = folder / backbones.backbone("vgg16").weights_file()
    with h5py.File(backbones.weights_file("vgg16")) as old, h5py.File(target, "w") as new:

        def copy(name, item):
            if isinstance(item, h5py.Dataset):
                values = item[()].astype(np.float16) if item.ndim == 4 else item[()]
                made = new.create_dataset(name, data=values, shuffle=True, compression=9)
            else:
                made = new.create_group(name)
            made.attrs.update(item.attrs)

        new.attrs.update(old.attrs)
        old.visititems(copy)


def fetch_wheels(folder, python, platform):
    """Download the locked wheels of what a machine with JAX or PyTorch may lack.

    Parameters
    ----------
    folder : pathlib.Path
    python, platform : str
        As for `pack`.
    """
    import pooch
    import wheels

    pooch.get_logger().setLevel("ERROR")
    blocks = re.findall(r"^\S+==.*(?:\n .*)*", (ROOT / "requirements.lock").read_text("utf-8"), re.MULTILINE)
    lock = folder.with_name("wheels.lock")
    replace_file(lock, "\n".join(block for block in blocks if block.split("==")[0] in WHEELS).encode())
    wheels.download(lock, folder, [wheels.Target(platform, python)], progressbar=False)


def _repository():
    """Bytes of the files here that git knows or would take."""
    listed = subprocess.run(["git", "ls-files", "-coz", "--exclude-standard"], cwd=ROOT, capture_output=True).stdout
    paths = {ROOT / os.fsdecode(name) for name in listed.split(b"\0") if name}
    return sum(path.lstat().st_size for path in paths if path.exists())


def _inside(folder):
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != ABOUT]


def _digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()
