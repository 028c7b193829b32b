"""The page in headless Chromium: links, images, accessibility, narrow screens, keyboard, print."""

import io
import os
import shutil

import numpy as np
import pytest
from PIL import Image

from sid.report.page import render
from tests.commands import accepted, sid
from tests.report.runs import make_runs
from tests.report.statuses import write_moment
from tests.report.verdict_rows import claims_of, every_outcome, external_records
from tests.test_structure import ROOT

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), "")
sync = pytest.importorskip("playwright.sync_api", reason="playwright: pip install '.[dev]'")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe: .[dev]")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="no chromium here: apt-get install chromium"),
]
PAPER = 718  # A4 without margins of 12 mm, in CSS pixels.
WIDEST = """() => [...document.querySelectorAll('body *')]
  .filter(e => !e.closest('.scroll, .card, pre, .skip, .hidden'))
  .map(e => [e.getBoundingClientRect().right, e.tagName + '.' + e.className])
  .sort((a, b) => b[0] - a[0])[0]"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The reference records of the digits, a checkpoint, and runs in every state."""
    folder = tmp_path_factory.mktemp("pages")
    records = str(ROOT / "reports" / "reference" / "records.csv")
    runs, teacher = make_runs(folder)
    judged, digits = folder / "verdict", folder / "digits"
    options = {"--verdicts": judged, "--runs": runs, "--teacher": teacher, "--out": digits}
    accepted(sid("verdict", records, "--out", judged))
    accepted(sid("report", records, *(word for option in options.items() for word in option)))
    verdicts = every_outcome()
    checkpoint = folder / "checkpoint.html"
    missing = [("Curves", "the records have no role curve")]
    checkpoint.write_text(
        render(external_records(), verdicts, claims_of(verdicts), missing=missing)
    )
    moment, _ = write_moment(folder / "moment")
    return {"digits": digits / "index.html", "checkpoint": checkpoint, "moment": moment}


@pytest.fixture(scope="module")
def browser():
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield found
        found.close()


@pytest.fixture(params=["digits", "checkpoint", "moment"])
def path(request, pages):
    return pages[request.param]


def opened(browser, path, width=1280, **options):
    page = browser.new_page(viewport={"width": width, "height": 800}, **options)
    page.goto(path.as_uri())
    return page


def test_nothing_is_fetched_and_every_link_and_image_resolves(browser, path):
    assert path.stat().st_size < 5e6
    page = browser.new_page()
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    assert said == []
    assert [url for url in asked if not url.startswith("data:")] == [path.as_uri()]
    broken = "images => images.filter(i => !i.complete || !i.naturalWidth).map(i => i.alt)"
    assert page.eval_on_selector_all("img", broken) == []
    links = page.eval_on_selector_all("a", "links => links.map(l => l.getAttribute('href'))")
    assert len(links) > 3
    assert [link for link in links if page.locator(link).count() != 1] == []
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(browser, path, scheme):
    page = opened(browser, path, color_scheme=scheme)
    page.eval_on_selector_all("details", "all => all.forEach(d => d.open = true)")
    found = axe.Axe().run(page).response
    page.close()
    assert len(found["passes"]) > 20
    assert [(one["id"], one["nodes"][0]["target"]) for one in found["violations"]] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_drawings_are_as_light_or_dark_as_the_page(browser, pages, scheme):
    page = opened(browser, pages["digits"], color_scheme=scheme)
    seen = page.locator("#agreement .drawn").screenshot()
    page.close()
    middle = np.median(np.asarray(Image.open(io.BytesIO(seen)).convert("L")))
    assert middle > 240 if scheme == "light" else middle < 50


def test_an_edge_is_shaded_where_a_table_goes_on(browser, pages):
    """The edge of a table that scrolls is darker than the same edge where it has ended."""
    page = opened(browser, pages["digits"], 375)
    table = page.locator("#agreement .scroll").first
    light = []
    for far in (0, 1e4):
        table.evaluate("(e, far) => { e.scrollLeft = far }", far)
        seen = np.asarray(Image.open(io.BytesIO(table.screenshot())).convert("L"))
        light.append(float(np.median(seen[:, -6:-2])))
    page.close()
    assert light[0] < light[1] - 20


@pytest.mark.parametrize("width", [375, 1280])
def test_nothing_is_wider_than_the_screen(browser, path, width):
    page = opened(browser, path, width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    right, element = page.evaluate(WIDEST)
    page.close()
    assert right <= width, element


@pytest.mark.parametrize("name", ["digits", "checkpoint"])
def test_the_verdicts_are_seen_without_scrolling_far(browser, pages, name):
    page = opened(browser, pages[name])
    tops = page.eval_on_selector_all(
        ".answers, .claims tbody", "all => all.map(e => e.getBoundingClientRect().top)"
    )
    page.close()
    assert tops[0] < 300
    assert tops[1] < 800


def test_the_page_is_used_by_keyboard_alone(browser, pages):
    page = opened(browser, pages["checkpoint"])
    page.keyboard.press("Tab")
    skip = page.locator(".skip")
    assert skip.evaluate("e => e === document.activeElement")
    assert skip.bounding_box()["x"] >= 0
    page.keyboard.press("Enter")
    page.wait_for_url("**#claims")
    for _ in range(2):  # The table, which scrolls, then the first claim's evidence.
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    page.keyboard.press("Enter")
    page.locator("#claim-1 details[open]").wait_for()
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.evaluate(outline) == "solid"
    page.close()


def test_print_opens_the_evidence_and_cuts_no_table(browser, path):
    page = opened(browser, path, PAPER)
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth") <= PAPER
    seen = "all => all.map(e => e.checkVisibility())"
    evidence = page.eval_on_selector_all("details dl", seen)
    hidden = page.eval_on_selector_all("nav, summary", seen)
    right = "all => all.map(e => e.getBoundingClientRect().right)"
    tables = page.eval_on_selector_all("table, img", right)
    page.close()
    assert len(evidence) > 8
    assert all(evidence)
    assert not any(hidden)
    assert max(tables) <= PAPER


def test_every_drawing_has_its_numbers_in_words(browser, pages):
    page = opened(browser, pages["checkpoint"])
    names = page.eval_on_selector_all("tbody svg[role=img]", "all => all.map(e => e.ariaLabel)")
    page.close()
    assert len(names) == 7
    assert all(name.startswith("Difference ") and "kept" in name for name in names)
