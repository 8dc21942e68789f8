"""What a reader of the pages waits for, in Chromium on this machine: bytes, first sight, the lab. A command, no test.

usage: python book/vitals.py

Transfers are those before any click, compressed as a host sends them; the largest contentful paint is measured with the
processor slowed down four times, as on a phone.
"""

import re
from statistics import median

from host import serve
from printing import chromium

from bloodcell_utils import course

PAINTED = """() => new Promise((done) => new PerformanceObserver((list) => done(list.getEntries().at(-1).startTime))
    .observe({ type: "largest-contentful-paint", buffered: true }))"""
RUNS, SLOWER, PICTURES = 5, 4, 24


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


def main():
    """Measure and print."""
    from playwright.sync_api import sync_playwright

    with serve() as home, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        visits = [visit(browser, f"{home}/book/intro.html", SLOWER) for _ in range(RUNS)]
        paints = [paint for _, paint in visits]
        print(f"first page: {visits[0][0]:.0f} kB before a click")
        print(f"  largest contentful paint, processor {SLOWER} times slower: {median(paints):.2f} s, "
              f"{min(paints):.2f} to {max(paints):.2f} of {RUNS}")  # fmt: skip
        sizes = {}
        for chapter in course.load().chapters:
            page = re.sub(r"\.ipynb$", ".html", chapter.file)
            sizes[chapter.title] = visit(browser, f"{home}/notebooks/{page}")[0]
        largest = max(sizes, key=sizes.get)
        print(f"chapters: {median(sizes.values()):.0f} kB (median), {sizes[largest]:.0f} kB (largest: {largest})")
        waits = [lab(browser, f"{home}/book/lab/index.html") for _ in range(RUNS)]
        ready, prediction = (median(column) for column in zip(*waits, strict=True))
        print(f"lab: first answer after {ready:.2f} s, then {prediction:.1f} ms a prediction on one core")
        browser.close()


if __name__ == "__main__":
    main()
