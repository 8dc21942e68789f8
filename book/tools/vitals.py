"""What a reader of the pages waits for, in Chromium on this machine: bytes, first sight, a slider's picture, the lab.

usage: python book/tools/vitals.py

Transfers are those before any click, compressed as a host sends them; the largest contentful paint and the moves of
sliders are measured with the processor slowed down four times, as on a phone. What was measured goes into
book/vitals.json, beside its goal.
"""

import json
import re
from pathlib import Path
from statistics import median

from host import serve
from printing import chromium

from bloodcell_utils import course
from bloodcell_utils.experiments import provenance
from bloodcell_utils.files import replace_file

TARGET = Path(__file__).resolve().parents[1] / "vitals.json"
PAINTED = """() => new Promise((done) => new PerformanceObserver((list) => done(list.getEntries().at(-1).startTime))
    .observe({ type: "largest-contentful-paint", buffered: true }))"""
# The browser's own clock of a key (Event Timing): from the press to the next picture; below 16 ms it says nothing.
PRESSED = """() => { window.pressed = []; new PerformanceObserver((list) => window.pressed.push(
    ...list.getEntries().filter((e) => e.name === "keydown").map((e) => e.duration)))
    .observe({ type: "event", durationThreshold: 16 }); }"""
TWO_PICTURES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
RUNS, SLOWER, PICTURES, MOVES = 15, 4, 24, 10


def visit(browser, address, slower=1):
    """Open a page as a first visit.

    Parameters
    ----------
    browser : playwright.sync_api.Browser
    address : str
    slower : float
        How much slower than this machine's the reader's processor is.

    Returns
    -------
    kilobytes : float
        Sent before any click.
    paint : float
        Seconds to the largest contentful paint.
    """
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page, sent = context.new_page(), []
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    wire.send("Emulation.setCPUThrottlingRate", {"rate": slower})
    wire.on("Network.loadingFinished", lambda event: sent.append(event["encodedDataLength"]))
    page.goto(address, wait_until="networkidle")
    paint = page.evaluate(PAINTED) / 1000
    context.close()
    return sum(sent) / 1000, paint


def moves(browser, address, slower=1):
    """Move each slider of a page by its keys.

    Parameters
    ----------
    browser : playwright.sync_api.Browser
    address : str
    slower : float
        As for `visit`.

    Returns
    -------
    list of float
        Milliseconds from a press to the picture that shows it, the longest of each slider; 16 is the least.
    """
    page, longest = browser.new_page(viewport={"width": 1440, "height": 900}), []
    page.goto(address, wait_until="networkidle")
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slower})
    page.evaluate(PRESSED)
    for slider in page.locator("input[type=range]:visible").all():
        slider.focus()
        page.wait_for_timeout(200)  # what came into view has been drawn
        page.evaluate("window.pressed.length = 0")
        for turn in range(MOVES):
            slider.press("ArrowRight" if turn else "Home")
            page.evaluate(TWO_PICTURES)
        page.wait_for_timeout(200)  # the browser tells of a key some time after it
        longest.append(max(page.evaluate("window.pressed"), default=16))
    page.close()
    return longest


def lab(browser, address):
    """Use the cell lab.

    Parameters
    ----------
    browser : playwright.sync_api.Browser
    address : str

    Returns
    -------
    ready : float
        Seconds until the first cell has its answer.
    prediction : float
        Milliseconds of one prediction on one core, median.
    """
    page = browser.new_page()
    page.goto(address, wait_until="commit")
    page.wait_for_selector(".lab[data-done='1']")
    ready = page.evaluate("performance.now()") / 1000
    times, preset = [], page.locator(".lab-preset")
    names = [
        name for name in preset.locator("option").evaluate_all("all => all.map((o) => o.value)") if name != "lobes"
    ]
    for turn in range(PICTURES):
        preset.select_option(names[turn % len(names)])
        page.wait_for_selector(f".lab[data-done='{turn + 2}']")
        times.append(page.evaluate("Number(document.querySelector('.lab').dataset.milliseconds)"))
    page.close()
    return ready, median(times)


def measure(home, browser):
    """Visit the first page, each chapter and the lab.

    Parameters
    ----------
    home : str
        Address of the pages.
    browser : playwright.sync_api.Browser

    Yields
    ------
    dict
        What was measured, its value, unit and goal.
    """
    sent, paints = zip(*(visit(browser, f"{home}/book/intro.html", SLOWER) for _ in range(RUNS)), strict=True)
    yield {"what": "first page, before a click", "value": round(max(sent)), "unit": "kB", "goal": 300}
    spread = f"{min(paints):.2f} to {max(paints):.2f} in {RUNS} visits"
    what = f"its largest contentful paint, processor {SLOWER} times slower, median ({spread})"
    yield {"what": what, "value": round(median(paints), 2), "unit": "s", "goal": 1}
    pages = {chapter.title: re.sub(r"\.ipynb$", ".html", chapter.file) for chapter in course.load().chapters}
    sizes = {title: visit(browser, f"{home}/notebooks/{page}")[0] for title, page in pages.items()}
    largest = max(sizes, key=sizes.get)
    yield {"what": f"largest chapter ({largest})", "value": round(sizes[largest]), "unit": "kB", "goal": 2000}
    slow = {title: moves(browser, f"{home}/notebooks/{page}", SLOWER) for title, page in pages.items()}
    slowest, sliders = max(slow, key=lambda title: max(slow[title], default=0)), sum(map(len, slow.values()))
    what = f"the longest of {MOVES} moves of each of {sliders} sliders, processor {SLOWER} times slower ({slowest})"
    yield {"what": what, "value": round(max(slow[slowest])), "unit": "ms", "goal": 100}
    waits = [lab(browser, f"{home}/book/lab/index.html") for _ in range(RUNS)]
    ready, prediction = (median(column) for column in zip(*waits, strict=True))
    yield {"what": "first answer of the cell lab, median", "value": round(ready, 2), "unit": "s", "goal": 3}
    what = "one prediction in the cell lab, on one core, median"
    yield {"what": what, "value": round(prediction, 1), "unit": "ms", "goal": 50}


def main():
    """Measure, print and write."""
    from playwright.sync_api import sync_playwright

    rows, known = [], provenance.provenance()
    with serve() as home, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        for row in measure(home, browser):
            print(f"{row['what']}: {row['value']} {row['unit']}, goal {row['goal']}")
            rows.append(row)
        made = {"created": known["created"], "device": known["device"], "browser": f"Chromium {browser.version}"}
        browser.close()
    replace_file(TARGET, (json.dumps({**made, "rows": rows}, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
