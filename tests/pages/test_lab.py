"""The cell lab, used as its readers use it: the same answers as Python's, and a friendly one for every file."""

import base64
import io
import json
import random
from html import escape

import numpy as np
import pytest
from host import HTML, Host, serve
from PIL import Image, ImageOps
from printing import chromium as find_chromium

from bloodcell_utils.cells import FOLDERS
from bloodcell_utils.datasets.pictures import resize
from bloodcell_utils.datasets.specs import random_spec
from bloodcell_utils.datasets.synthetic import draw
from bloodcell_utils.evaluation import contract, prediction
from bloodcell_utils.models import pretrained

LAB = HTML / "book" / "lab" / "index.html"
pytestmark = pytest.mark.skipif(
    not (HTML / "_static" / "lab" / "compactnet.onnx").is_file(), reason="the book was built without the lab"
)
SCREEN = {"width": 1440, "height": 900}
ASK = """async ([folder, pictures, threshold]) => {
    const next = () => new Promise((done) => (window.worker.onmessage = ({ data }) => done(data)));
    if (!window.worker) {
        window.worker = new Worker(folder + "worker.js", { type: "module" });
        await next();
    }
    const answers = [];
    for (const [picture, crop] of pictures) {
        const file = await (await fetch("data:image/png;base64," + picture)).blob();
        const answer = next();
        window.worker.postMessage({ id: 0, file, crop, threshold });
        const { probabilities, strangeness, levels, milliseconds, odd } = await answer;
        answers.push({ probabilities, strangeness, milliseconds, odd, levels: String.fromCharCode(...levels) });
    }
    return JSON.stringify(answers);
}"""


@pytest.fixture(scope="module")
def laboratory(visit, site):
    """The lab, opened once: its networks take a while to start."""
    with visit() as context:
        page = context.new_page()
        page.goto(f"{site}/book/lab/index.html")
        page.wait_for_selector(".lab[data-done='1']")
        yield page


@pytest.fixture
def lab(laboratory):
    """The lab as it opens, with its first cell read, whoever used it before."""
    laboratory.set_viewport_size(SCREEN)
    laboratory.uncheck(".lab-warm")
    if laboratory.input_value(".lab-crop") != "100":
        read(laboratory, lambda: laboratory.fill(".lab-crop", "100"))
    read(laboratory, lambda: laboratory.select_option(".lab-preset", index=0))
    yield laboratory
    trouble = laboratory.context.trouble.copy()
    laboratory.context.trouble.clear()
    assert not trouble


def read(lab, act, pictures=1):
    """Do something that chooses pictures, and wait until the last one is read."""
    number = int(lab.get_attribute(".lab", "data-done")) + pictures
    act()
    lab.wait_for_selector(f".lab[data-done='{number}']")


def encoded(picture, kind="PNG", **options):
    stream = io.BytesIO()
    picture = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    picture.save(stream, kind, **options)
    return stream.getvalue()


def asked(lab, site, pictures, threshold=0.0):
    """What the worker says to files and crops."""
    texts = [(base64.b64encode(data).decode(), crop) for data, crop in pictures]
    answers = json.loads(lab.evaluate(ASK, [f"{site}/_static/lab/", texts, threshold]))
    return [answer | {"levels": np.frombuffer(answer["levels"].encode("latin-1"), np.uint8)} for answer in answers]


def test_answers_are_those_of_python(lab, site):
    pictures = []
    for i in range(200):
        spec = random_spec(FOLDERS[i % len(FOLDERS)], np.random.default_rng(i))
        pictures.append((draw(spec, (128, 97, 240)[i % 3 if i % 4 == 0 else 0], i), (1, 0.7)[i % 10 == 8]))
    answers = asked(lab, site, [(encoded(picture), crop) for picture, crop in pictures])
    small = np.stack([resize(picture, 128, crop) for picture, crop in pictures])
    assert np.array_equal(small.reshape(200, -1), [answer["levels"] for answer in answers])
    probabilities, strangeness = prediction.predict_proba(small)
    assert np.abs(probabilities - [answer["probabilities"] for answer in answers]).max() < 1e-3
    assert np.allclose(strangeness, [answer["strangeness"] for answer in answers], rtol=1e-3)
    print(f"one prediction, median: {np.median([answer['milliseconds'] for answer in answers]):.1f} ms")


def test_what_gets_no_name_and_why_is_as_in_python(lab, site):
    cells = [draw(random_spec(kind, np.random.default_rng(7)), 128, 7) for kind in FOLDERS]
    cells += [resize(cell, 128, 0.4) for cell in cells] + [cell[..., ::-1] for cell in cells]
    cells += [np.full((128, 128, 3), level, np.uint8) for level in (0, 255)] + [np.asarray(noise(128, 128))]
    threshold = pretrained.metadata(pretrained.TRAVELLED)["threshold"]
    odd = [answer["odd"] for answer in asked(lab, site, [(encoded(cell), 1) for cell in cells], threshold)]
    table = prediction.predict(cells)
    refused = np.array([kept is not None for kept in odd])
    assert np.array_equal(refused, table["answer"] == prediction.UNSURE) and refused.any()
    left = [kept for kept in odd if kept is not None]
    assert [kept["exchanged"] for kept in left] == list(table["note"][refused] == contract.EXCHANGED)
    widths = contract.nucleus_width(np.stack(cells)[refused])
    assert np.allclose(widths, [kept["nucleus"] for kept in left], atol=1e-9) and len(set(widths)) > 1


BARS = """(bars) => bars.map((bar) => [bar.offsetWidth, bar.closest("td").clientWidth,
    parseFloat(getComputedStyle(bar.closest("td")).paddingLeft), bar.closest("tr").cells[2].innerText])"""


def test_a_probability_is_as_long_as_it_is_large(lab):
    lab.emulate_media(reduced_motion="reduce")
    for width in (1280, 1366, 360):
        lab.set_viewport_size({"width": width, "height": 768})
        bars = lab.locator(".lab-bar").evaluate_all(BARS)
        assert min(room for _, room, _, _ in bars) >= 80, width
        for long, room, edge, share in bars:
            assert abs(long - (room - 2 * edge) * float(share.split()[0]) / 100) <= 1.5, width


def test_what_is_odd_is_said(page, site):
    low, usual, high = pretrained.metadata(pretrained.TRAVELLED)["nucleus"]
    found = [{"exchanged": turned, "nucleus": width} for turned, width in ((True, 2 * high), (False, 2 * high))]
    found += [{"exchanged": False, "nucleus": width} for width in (low / 2, usual)]
    script = (HTML / "_static" / "lab" / "worker.js").read_text("utf-8")
    told = script.replace("odd: named(seen) ? null : await odd(levels, named)", f"odd: {json.dumps(found)}[turn++]")
    assert told != script
    page.route("**/worker.js", lambda route: route.fulfill(body="let turn = 0;\n" + told))
    page.goto(f"{site}/book/lab/index.html")
    page.wait_for_selector(".lab[data-done='1']")
    answer, notes = page.inner_text(".lab-answer"), [page.inner_text(".lab-notes")]
    for i in range(1, len(found)):
        read(page, lambda i=i: page.select_option(".lab-preset", index=i))
        notes.append(page.inner_text(".lab-notes"))
    assert answer == prediction.UNSURE and "OpenCV" in notes[0] and "nucleus" not in notes[0]
    assert f"{2 * high / usual:.1f} times" in notes[1]
    assert f"crop to {100 * low / 2 / usual:.0f} %?" in notes[2]
    assert "nucleus" not in notes[3]


def test_a_large_picture_is_read_nearly_as_in_python(lab):
    picture = draw(random_spec("eosinophil", np.random.default_rng(1)), 363, 1).repeat(5, 0).repeat(5, 1)
    file = {"name": "a.png", "mimeType": "image/png", "buffer": encoded(picture)}
    read(lab, lambda: lab.set_input_files(".lab-file input", file))
    expected = prediction.predict_proba(resize(picture, 128)[None])[0][0]
    shown = [float(text.split()[0]) / 100 for text in lab.locator(".lab-share").all_inner_texts()]
    assert np.abs(expected - shown).max() < 0.02


def noise(width, height):
    return Image.frombytes("RGB", (width, height), random.Random(1).randbytes(3 * width * height))


def animated():
    frames = [Image.new("RGB", (64, 64), color) for color in ("white", "pink", "purple")]
    return encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])


BAD = {
    "a large photograph": ("image/jpeg", lambda: encoded(noise(4800, 4000), "JPEG", quality=92), "Read in"),
    "a text": ("text/plain", lambda: b"neutrophil\n", "no picture"),
    "an animation": ("image/gif", animated, "animated"),
    "one pixel": ("image/png", lambda: encoded(Image.new("RGB", (1, 1))), "1 × 1"),
    "print colours": ("image/jpeg", lambda: encoded(noise(90, 90).convert("CMYK"), "JPEG"), "CMYK"),
    "nothing": ("image/png", lambda: b"", "empty"),
    "half a picture": ("image/png", lambda: encoded(noise(90, 90))[:900], "no picture"),
    "too much": ("image/png", lambda: bytes(61_000_000), "60 MB"),
}


@pytest.mark.parametrize("name", BAD)
def test_any_file_gets_a_friendly_answer_and_the_page_stays_alive(lab, name, tmp_path):
    kind, make, expected = BAD[name]
    path = tmp_path / f"file.{kind.split('/')[1]}"
    path.write_bytes(make())
    lab.evaluate("clearInterval(window.heart); window.beats = 0; window.heart = setInterval(() => (beats += 1), 50)")
    read(lab, lambda: lab.set_input_files(".lab-file input", path))
    lab.wait_for_function("window.beats > 1")
    assert expected in lab.inner_text(".lab-result")
    read(lab, lambda: lab.select_option(".lab-preset", "SNE"))
    assert "%" in lab.locator(".lab-share").first.inner_text()


def test_the_keyboard_is_enough(lab):
    lab.focus(".lab-preset")
    first = lab.inner_text(".lab-answer") + lab.locator(".lab-share").first.inner_text()
    read(lab, lambda: [lab.keyboard.press("ArrowDown") for _ in range(2)], pictures=2)
    assert first != lab.inner_text(".lab-answer") + lab.locator(".lab-share").first.inner_text()
    plain = lab.evaluate("document.querySelector('.lab canvas').toDataURL()")
    for _ in range(10):
        lab.keyboard.press("Tab")
        if lab.evaluate("document.activeElement.className") == "lab-warm":
            break
    lab.keyboard.press("Space")
    assert plain != lab.evaluate("document.querySelector('.lab canvas').toDataURL()")
    assert "warm colours" in lab.get_attribute(".lab canvas", "aria-label")


def test_the_lobes_and_the_crop_slide(lab):
    read(lab, lambda: lab.select_option(".lab-preset", "lobes"))
    lab.focus(".lab-lobes input")
    read(lab, lambda: lab.keyboard.press("End"))
    assert lab.inner_text(".lab-lobes output") == "5"
    lab.focus(".lab-crop")
    read(lab, lambda: lab.keyboard.press("ArrowLeft"))
    assert lab.get_attribute(".lab-crop", "aria-valuetext") == "99 %"


def test_it_fits_a_phone(lab):
    lab.set_viewport_size({"width": 360, "height": 740})
    assert lab.evaluate("document.documentElement.scrollWidth") <= 360


def test_as_a_file_it_says_what_to_do(chromium):
    page = chromium.new_page()
    page.goto(LAB.as_uri())
    assert "http.server" in page.inner_text(".lab-notes")
    page.close()


class Windows(Host):
    """What Python's server may send on Windows, where the registry says what a suffix means."""

    extensions_map = Host.extensions_map | {
        ".js": "text/plain",
        ".mjs": "application/octet-stream",
        ".wasm": "text/html",
    }


class Sandbox(Host):
    """As Jupyter sends files."""

    def end_headers(self):
        self.send_header("Content-Security-Policy", "sandbox allow-scripts")
        super().end_headers()


class Strict(Windows):
    """Wrong types, and a browser told to believe them."""

    def end_headers(self):
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()


def told(page, address):
    """What the lab says that gives no answer: the same for its first cell and for a picture of the reader's."""
    page.goto(f"{address}/book/lab/index.html")
    page.wait_for_selector(".lab[data-done]")
    if page.locator(".lab[data-done='0']").count() == 0:
        picture = {"name": "a.png", "mimeType": "image/png", "buffer": encoded(noise(90, 90))}
        first = page.inner_text(".lab-result")
        page.set_input_files(".lab-file input", picture)
        page.wait_for_selector(".lab[data-done='2']")
        assert first == page.inner_text(".lab-result")
    assert set(page.locator(".lab-share").all_inner_texts()) == {"–"}
    return page.inner_text(".lab-answer"), page.inner_text(".lab-notes")


@pytest.fixture
def troubled(chromium):
    """A page that may report errors."""
    page = chromium.new_page()
    yield page
    page.close()


def test_a_server_with_other_types_is_enough(page):
    with serve(Windows) as address:
        page.goto(f"{address}/book/lab/index.html")
        page.wait_for_selector(".lab[data-done='1']")
        assert "Read in" in page.inner_text(".lab-time")


@pytest.mark.parametrize("name", ["index", "game"])
def test_a_script_that_the_browser_refuses_is_said(troubled, name):
    with serve(Strict) as address:
        troubled.goto(f"{address}/book/lab/{name}.html")
        assert "could not be loaded" in troubled.inner_text(".lab-missing, .game-missing")


def test_in_a_sandbox_it_says_what_to_do(troubled):
    with serve(Sandbox) as address:
        answer, notes = told(troubled, address)
    assert "sandbox" in answer and "http.server" in notes and "https://" in notes


def test_without_webassembly_it_says_so(chromium, site):
    browser = chromium.browser_type.launch(
        executable_path=find_chromium(), args=["--no-sandbox", "--js-flags=--jitless"]
    )
    assert "WebAssembly is off" in told(browser.new_page(), site)[0]
    browser.close()


def test_a_missing_network_is_not_the_fault_of_the_picture(troubled, site):
    troubled.route("**/compactnet.onnx", lambda route: route.fulfill(status=404))
    answer, notes = told(troubled, site)
    assert "networks could not be loaded" in answer and "404" in notes


def test_a_slow_network_is_not_the_fault_of_the_picture(context, site):
    page, held = context.new_page(), []
    page.clock.install()
    page.route("**/worker.js", lambda route: held.append(route))
    with page.expect_request("**/worker.js"):
        page.goto(f"{site}/book/lab/index.html")
    page.clock.fast_forward(60_000)  # three times what one picture may take
    held.pop().continue_()
    page.wait_for_selector(".lab[data-done='1']")
    assert "Read in" in page.inner_text(".lab-time")
    assert not context.trouble


def alter(page, level):
    """As browsers do that guard against being recognised: what a page reads back is not what was drawn."""
    patch = """const original = OffscreenCanvasRenderingContext2D.prototype.getImageData;
        OffscreenCanvasRenderingContext2D.prototype.getImageData = function (...place) {
            const picture = original.apply(this, place);
            picture.data.forEach((level, i) => (picture.data[i] = LEVEL));
            return picture;
        };""".replace("LEVEL", level)
    script = (HTML / "_static" / "lab" / "worker.js").read_text("utf-8")
    page.route("**/worker.js", lambda route: route.fulfill(body=patch + "\n" + script))


@pytest.mark.parametrize("level", ["256 * Math.random()", "255", "level + 4 * (i === 98)"])
def test_noise_in_place_of_a_picture_gets_no_answer(page, site, level):
    alter(page, level)
    answer, notes = told(page, site)
    assert "alters the pictures" in answer and "resistFingerprinting" in notes


def test_a_little_noise_is_said(page, site):
    alter(page, "level ^ (i % 8 === 0)")
    page.goto(f"{site}/book/lab/index.html")
    page.wait_for_selector(".lab[data-done='1']")
    assert "alters the pixels a little" in page.inner_text(".lab-notes")
    assert "Read in" in page.inner_text(".lab-time")


@pytest.mark.parametrize("name", ["index", "game"])
def test_names_are_text(page, site, name):
    hostile = """<img src=x onerror="document.title='run'"> & 'x'"""
    html = (HTML / "book" / "lab" / f"{name}.html").read_text("utf-8")
    assert "&quot;neutrophil&quot;" in html
    named = html.replace("&quot;neutrophil&quot;", escape(json.dumps(hostile)))
    page.route(f"**/{name}.html", lambda route: route.fulfill(body=named, content_type="text/html"))
    page.goto(f"{site}/book/lab/{name}.html")
    for _ in range(40 if name == "game" else 0):
        page.keyboard.press("2")
    assert page.get_by_text(hostile).count() >= (1 if name == "index" else 3)
    assert page.title() != "run" and page.locator("img[src=x]").count() == 0


def levels(lab, site, files):
    return [answer["levels"] for answer in asked(lab, site, [(data, 1) for data in files])]


def test_any_shape_is_read_as_in_python(lab, site):
    sizes = [(200, 160), (160, 200), (160, 192), (160, 193), (90, 300), (300, 90), (60, 40), (40, 60), (1, 999)]
    pictures = [noise(*size) for size in sizes]
    for picture, read in zip(pictures, levels(lab, site, map(encoded, pictures)), strict=True):
        assert np.array_equal(resize(np.asarray(picture), 128).ravel(), read), picture.size


def turned(turn):
    tags = Image.Exif()
    tags[0x0112] = turn
    return tags


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_turned_photograph_is_read_upright(lab, site, kind):
    """As all browsers show it, which leave WebP as it is."""
    cell = Image.fromarray(draw(random_spec("monocyte", np.random.default_rng(3)), 200, 3)).crop((0, 0, 200, 160))
    files = [encoded(cell, kind, exif=turned(turn)) for turn in range(1, 9)]
    for data, read in zip(files, levels(lab, site, files), strict=True):
        picture = Image.open(io.BytesIO(data))
        upright = picture if kind == "WEBP" else ImageOps.exif_transpose(picture)
        assert np.array_equal(resize(np.asarray(upright), 128).ravel(), read)
