"""From files to arrays: what is cropped, what is refused by name, and what the cache remembers."""

import io
import shutil
import struct
import zipfile
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from bloodcell_utils.datasets import loading, pbc
from bloodcell_utils.datasets.loading import load_image, load_images
from bloodcell_utils.datasets.pictures import decode, resize
from bloodcell_utils.errors import DataError


@pytest.fixture
def copy(drawn, tmp_path):
    """A copy of the drawn sample that a test may spoil."""
    return shutil.copytree(drawn, tmp_path / "copy")


@pytest.fixture(scope="module")
def picture():
    """A picture of 24 x 20 px with an edge in each direction."""
    image = np.full((20, 24, 3), (200, 180, 210), np.uint8)
    image[5:15, 8:16] = (90, 40, 120)
    return image


def cut(path, share=0.6):
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])


def test_the_cached_array_is_what_decoding_gives(cache, drawn, table):
    images = load_images(table, 24, 0.8, progressbar=False)
    assert images.shape == (72, 24, 24, 3) and images.dtype == np.uint8 and isinstance(images, np.memmap)
    for i in (0, 13, 71):
        data = (drawn / table["path"][i]).read_bytes()
        np.testing.assert_array_equal(images[i], decode(data, 24, 0.8))
        np.testing.assert_array_equal(images[i], load_image(table.iloc[i], 24, 0.8))


def test_rows_come_in_the_order_of_the_table(cache, table):
    usual = load_images(table, 16, progressbar=False)
    order = np.random.default_rng(0).permutation(len(table))
    np.testing.assert_array_equal(load_images(table.iloc[order], 16, progressbar=False), usual[order])
    np.testing.assert_array_equal(load_images(table, 16, progressbar=False), usual)
    assert load_images(table.iloc[:0], 16, progressbar=False).shape == (0, 16, 16, 3)


def test_the_cache_is_keyed_by_content(cache, drawn, table, copy, monkeypatch):
    first = load_images(table, 16, progressbar=False)
    monkeypatch.setattr(loading, "decode", None)
    np.testing.assert_array_equal(load_images(pbc.index(copy), 16, progressbar=False), first)
    for change in ({"size": 17}, {"size": 16, "crop": 0.9}):
        with pytest.raises(TypeError):
            load_images(table, **change, progressbar=False)
    with pytest.raises(DataError, match="has changed since .* was indexed"):
        load_images(table.assign(sha256=table["sha256"][::-1].to_numpy()), 16, progressbar=False)


def test_a_zip_gives_the_same_images(cache, drawn, table, tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as archive:
        for path in table["path"]:
            archive.write(drawn / path, f"PBC/{path}")
            archive.writestr(f"__MACOSX/PBC/{path}", b"resource fork")
    usual = np.array(load_images(table, 16, progressbar=False))
    monkeypatch.setenv("BLOODCELL_CACHE_DIR", str(tmp_path / "another cache"))
    np.testing.assert_array_equal(load_images(pbc.index(tmp_path / "archive.zip"), 16, progressbar=False), usual)


def test_a_truncated_jpeg_among_good_ones_is_named(cache, copy):
    path = sorted((copy / "ig").glob("*.jpg"))[4]
    cut(path)
    table = pbc.index(copy)
    with pytest.raises(DataError, match=f"ig/{path.name} is damaged or no image.*truncated"):
        load_images(table, 16, progressbar=False)
    good = table[table["path"] != f"ig/{path.name}"]
    assert load_images(good, 16, progressbar=False).shape == (71, 16, 16, 3)


@pytest.mark.parametrize("what", ["file", "folder", "zip", "member", "bytes"])
def test_images_that_changed_since_they_were_indexed_are_named(cache, copy, tmp_path, what):
    source = copy
    if what in ("zip", "member", "bytes"):
        source = shutil.make_archive(tmp_path / "archive", "zip", copy)
    table = pbc.index(source)
    name = table["path"][20]
    if what == "file":
        (copy / name).unlink()
    elif what == "folder":
        shutil.rmtree(copy)
    elif what == "zip":
        (tmp_path / "archive.zip").unlink()
    elif what == "member":
        (copy / name).unlink()
        shutil.make_archive(tmp_path / "archive", "zip", copy)
    else:
        with zipfile.ZipFile(source) as archive:
            info = archive.getinfo(name)
        data = bytearray((tmp_path / "archive.zip").read_bytes())
        middle = info.header_offset + 30 + len(name) + info.compress_size // 2
        data[middle : middle + 20] = bytes(byte ^ 0xFF for byte in data[middle : middle + 20])
        (tmp_path / "archive.zip").write_bytes(data)
    with pytest.raises(DataError, match="is gone" if what in ("folder", "zip") else name):
        load_images(table, 16, progressbar=False)


def png16(colour):
    """A PNG with 16 bits a channel, as a 12-bit camera would fill it; Pillow itself cannot write one in colour."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    line = b"\0" + np.full((8, 3 if colour else 1), 4095, ">u2").tobytes()
    header = struct.pack(">IIBBBBB", 8, 8, 16, 2 if colour else 0, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(line * 8)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def tiff16():
    """An uncompressed little-endian TIFF, 8 x 8 RGB, 16 bits a channel."""
    tags = [(256, 3, 1, 8), (257, 3, 1, 8), (258, 3, 3, 134), (259, 3, 1, 1), (262, 3, 1, 2), (273, 4, 1, 140),
            (277, 3, 1, 3), (278, 3, 1, 8), (279, 4, 1, 384), (284, 3, 1, 1)]  # fmt: skip
    directory = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags) + bytes(4)
    head = b"II*\0" + struct.pack("<I", 8) + directory
    return head + struct.pack("<3H", 16, 16, 16) + np.full(192, 4095, "<u2").tobytes()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda encode, image: encode(image, "JPEG", "CMYK"), "colour mode CMYK; save it as 8-bit RGB"),
        (lambda encode, image: encode(image, "TIFF", "CMYK"), "colour mode CMYK"),
        (lambda encode, image: encode(image, "TIFF", "LAB"), "colour mode LAB"),
        (lambda encode, image: encode(image[..., 0].astype(np.float32), "TIFF"), "colour mode F"),
        (lambda encode, image: encode(image[..., 0].astype(np.uint16) * 16), "colour mode I;16"),
        (lambda encode, image: png16(colour=False), "colour mode I;16"),
        (lambda encode, image: png16(colour=True), "colour mode RGB;16"),
        (lambda encode, image: tiff16(), "colour mode RGB;16"),
        (lambda encode, image: animation(image, "GIF"), r"animated \(3 frames\)"),
        (lambda encode, image: animation(image, "PNG"), r"animated \(3 frames\)"),
        (lambda encode, image: animation(image, "TIFF"), r"animated \(3 frames\)"),
        (lambda encode, image: b"", "is empty"),
        (lambda encode, image: b"a text", "is a text file"),
        (lambda encode, image: encode(image, "JPEG")[:-40], "damaged or no image.*truncated"),
        (lambda encode, image: encode(image, "PNG")[:-40], "damaged or no image"),
    ],
    ids=["CMYK jpeg", "CMYK tiff", "LAB", "float", "grey 16-bit", "grey 16-bit png", "colour 16-bit png",
         "colour 16-bit tiff", "gif", "apng", "pages", "empty", "text", "truncated jpeg", "truncated png"],
)  # fmt: skip
def test_what_only_its_owner_can_convert_is_refused_by_name(encode, picture, make, message):
    with pytest.raises(DataError, match=f"ig/x.jpg .*{message}"):
        decode(make(encode, picture), 16, name="ig/x.jpg")


def animation(image, format):
    stream = io.BytesIO()
    frames = [Image.fromarray(np.roll(image, i, axis=0)) for i in range(3)]
    frames[0].save(stream, format, save_all=True, append_images=frames[1:])
    return stream.getvalue()


def test_the_16_bit_files_of_this_test_are_valid():
    for data in (png16(colour=True), tiff16()):
        with Image.open(io.BytesIO(data)) as image:
            assert image.size == (8, 8) and np.asarray(image.convert("RGB")).shape == (8, 8, 3)


def test_without_strictness_a_choice_is_made(encode, picture):
    twelve_bits = encode(picture[..., 0].astype(np.uint16) * 16, "TIFF")
    stretched = decode(twelve_bits, None, strict=False)[..., 0]
    np.testing.assert_allclose(stretched, picture[..., 0] * (255 / picture[..., 0].max()), atol=0.6)
    first, second = Image.fromarray(picture), Image.fromarray(255 - picture)
    stream = io.BytesIO()
    first.save(stream, "PNG", save_all=True, append_images=[second])
    np.testing.assert_array_equal(decode(stream.getvalue(), None, strict=False), picture)
    np.testing.assert_allclose(decode(encode(picture, "TIFF", "CMYK"), None, strict=False), picture, atol=2)


@pytest.mark.parametrize("crop", [1.0, 0.7])
def test_reduced_decoding_gives_nearly_the_same(encode, crop):
    y, x = np.mgrid[:360, :363]
    smooth = np.stack([128 + 90 * np.sin(x / 40), 128 + 90 * np.cos(y / 30), 128 + 60 * np.sin((x + y) / 50)], -1)
    data = encode(smooth.astype(np.uint8), "JPEG", quality=90)
    plain, reduced = (decode(data, 64, crop, reduced=reduced).astype(int) for reduced in (False, True))
    assert np.abs(plain - reduced).mean() < 1.5
    np.testing.assert_array_equal(decode(encode(smooth.astype(np.uint8)), 64, crop, reduced=True).shape, plain.shape)


def test_reduced_images_are_kept_apart_from_the_others(cache, table):
    load_images(table, 16, progressbar=False)
    load_images(table, 16, progressbar=False, reduced=True)
    assert len(list(cache.glob("images-16-*.npy"))) == 2


def test_an_array_is_resized_as_a_file_is(encode, picture):
    np.testing.assert_array_equal(resize(picture, 10, 0.8), decode(encode(picture), 10, 0.8))


@pytest.mark.parametrize("format", ["PNG", "BMP", "TIFF", "JPEG"])
def test_colour_is_kept(encode, picture, format):
    np.testing.assert_allclose(decode(encode(picture, format), None).astype(int), picture, atol=25 * (format == "JPEG"))


@pytest.mark.parametrize("mode", ["L", "1"])
def test_grey_and_black_and_white(encode, picture, mode):
    image = decode(encode(picture, "PNG", mode), None)
    assert image.shape == picture.shape
    assert (image[..., 0] == image[..., 1]).all() and (image[..., 0] == image[..., 2]).all()
    if mode == "L":
        np.testing.assert_array_equal(image[..., 0], np.asarray(Image.fromarray(picture).convert("L")))


@pytest.mark.parametrize("format", ["PNG", "GIF", "BMP"])
def test_a_palette_gives_its_colours(picture, format):
    stream = io.BytesIO()
    Image.fromarray(picture).quantize(4).save(stream, format)
    with Image.open(stream) as image:
        assert image.mode == "P"
    np.testing.assert_array_equal(decode(stream.getvalue(), None), picture)


def test_what_is_transparent_becomes_white(encode, picture):
    alpha = np.full((*picture.shape[:2], 1), 255, np.uint8)
    alpha[:10] = 0
    image = decode(encode(np.concatenate([picture, alpha], axis=-1)), None)
    assert (image[:10] == 255).all()
    np.testing.assert_array_equal(image[10:], picture[10:])


@pytest.mark.parametrize(("height", "width"), [(60, 60), (61, 60), (60, 90), (101, 60)])
def test_a_crop_keeps_the_centre(encode, height, width):
    image = np.zeros((height, width, 3), np.uint8)
    image[height // 2 - 10 : height // 2 + 10, width // 2 - 10 : width // 2 + 10] = 255
    whole, cropped = decode(encode(image), 60), decode(encode(image), 60, crop=0.5)
    share = (whole > 127).mean(), (cropped > 127).mean()
    assert share == pytest.approx((1 / 9, 4 / 9), rel=0.1)
    for result in (whole, cropped):
        rows, columns = np.nonzero(result[..., 0] > 127)
        assert rows.mean() == pytest.approx(29.5, abs=1) and columns.mean() == pytest.approx(29.5, abs=1)


@pytest.mark.parametrize(("size", "crop"), [(16, 0), (16, 1.2), (16, -1), (0, 1), (16, float("nan"))])
def test_an_impossible_crop_is_refused(table, size, crop):
    with pytest.raises(DataError, match="must be in"):
        load_images(table, size, crop)


@pytest.mark.filterwarnings("ignore::UserWarning")
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["JPEG", "PNG", "TIFF", "BMP", "GIF"]),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=5),
    st.floats(0, 1),
)
def test_whatever_the_bytes_it_is_an_image_or_a_clear_error(encode, picture, format, changes, kept):
    data = bytearray(encode(picture, format))
    for at, byte in changes:
        data[at % len(data)] = byte
    data = bytes(data[: round(kept * len(data))])
    try:
        assert decode(data, 8).shape == (8, 8, 3)
    except DataError as err:
        assert "image" in str(err)
