"""Pages in a real browser: headless Chromium.

`CHROMIUM` and `CHROMEDRIVER` may name the programs; otherwise they are looked for. Where either is
missing these tests are skipped, or fail with `--full` and in CI; `.ci/run` installs both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import BROWSER, DRIVER

if TYPE_CHECKING:
    from selenium import webdriver

pytestmark = pytest.mark.browser

ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",  # it cannot be had as root, as in containers
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

WIDE = """
return [...document.querySelectorAll('body *')]
  .filter(e => !e.closest('.scroll') && e.getBoundingClientRect().right > innerWidth + 0.5)
  .map(e => e.tagName + ' ' + e.className)
"""
"""What is wider than the page, other than tables in their own boxes."""

DRAWN = """
const drawings = [...document.querySelectorAll('svg')];
return drawings.filter(s => !s.closest('details:not([open])')).map(s => {
  const box = s.getBoundingClientRect();
  const inside = [...s.querySelectorAll('path, rect, circle, text, use')]
    .filter(e => e.getBoundingClientRect().width > 0);
  return [box.width, box.height, inside.length];
})
"""

CUT = """
return [...document.querySelectorAll('svg text')].filter(t => {
  const box = t.getBoundingClientRect(), all = t.closest('svg').getBoundingClientRect();
  return box.left < all.left - 14 || box.right > all.right + 14;
}).map(t => t.textContent)
"""
"""Texts that stick out of their drawing by more than the page's margin."""

COLOURS = """
const style = getComputedStyle(document.body);
const line = document.querySelector('#observed svg path[style*="--c1"]');
const text = document.querySelector('#observed svg text');
return [style.backgroundColor, style.color, getComputedStyle(line).stroke,
        getComputedStyle(text).fill];
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    options = Options()
    options.binary_location = str(BROWSER)
    for argument in (*ARGUMENTS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def places(pages: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    found = {name: folder / f"{name}.html" for name in pages}
    for name, page in pages.items():
        found[name].write_text(page, encoding="utf-8")
    return found


def visit(
    browser: webdriver.Chrome, page: Path, width: int, theme: str = "light", media: str = ""
) -> None:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    features = [{"name": "prefers-color-scheme", "value": theme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})
    browser.get(page.as_uri())


def script(browser: webdriver.Chrome, text: str) -> Any:
    return browser.execute_script(text)  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("name", ["everything", "centipede"])
def test_a_page_shows_without_errors_and_fits(
    browser: webdriver.Chrome, places: Mapping[str, Path], name: str, width: int, theme: str
) -> None:
    visit(browser, places[name], width, theme)
    assert browser.get_log("browser") == []
    script(browser, "document.querySelectorAll('.part').forEach(part => { part.open = true; })")
    assert script(browser, "return document.documentElement.scrollWidth") <= width
    assert script(browser, WIDE) == []
    drawn = script(browser, DRAWN)
    assert len(drawn) >= 5
    for across, down, parts in drawn:
        assert across > 100
        assert down > 20
        assert parts >= 3
    assert script(browser, CUT) == []


def test_nothing_is_fetched(browser: webdriver.Chrome, places: Mapping[str, Path]) -> None:
    browser.get_log("performance")
    visit(browser, places["everything"], 1280)
    log = "".join(entry["message"] for entry in browser.get_log("performance"))
    assert "Network.requestWillBeSent" in log
    assert "http://" not in log.replace("http://www.w3.org", "")
    assert "https://" not in log


def test_links_lead_to_their_sections(
    browser: webdriver.Chrome, places: Mapping[str, Path]
) -> None:
    visit(browser, places["everything"], 1280)
    links = browser.find_elements("css selector", "nav a")
    assert len(links) >= 8
    for link in links:
        link.click()
        key = str(link.get_attribute("href")).partition("#")[2]
        top = script(
            browser, f"return document.getElementById('{key}').getBoundingClientRect().top"
        )
        at_end = script(
            browser, "return innerHeight + scrollY >= document.documentElement.scrollHeight - 2"
        )
        folded = f"return document.getElementById('{key}').checkVisibility()"
        assert script(browser, folded), f"{key} unfolds when it is asked for"
        assert 0 <= top < 60 or at_end, f"{key}, with its heading above"
        script(browser, "scrollTo(0, 0)")


def test_themes_differ_in_paper_ink_and_lines(
    browser: webdriver.Chrome, places: Mapping[str, Path]
) -> None:
    seen = {}
    for theme in ("light", "dark"):
        visit(browser, places["everything"], 1280, theme)
        seen[theme] = script(browser, COLOURS)
    for light, dark in zip(seen["light"], seen["dark"], strict=True):
        assert light != dark
        assert "rgb" in light
    assert seen["light"][0] == "rgb(255, 255, 255)"


def test_folded_parts_are_printed(browser: webdriver.Chrome, places: Mapping[str, Path]) -> None:
    hidden = """
    return [...document.querySelectorAll('details table')]
      .filter(t => !t.checkVisibility({contentVisibilityAuto: true}) || !t.offsetHeight).length
    """
    visit(browser, places["everything"], 1280, media="screen")
    assert script(browser, hidden) > 0
    visit(browser, places["everything"], 1280, media="print")
    assert script(browser, hidden) == 0


SIDE = 297 - 2 * 12, 210 - 2 * 14
"""What the margins leave of a sheet of A4, in millimetres: down and across."""


@pytest.mark.parametrize("name", ["everything", "centipede"])
def test_what_an_adviser_needs_is_on_two_printed_sides(
    browser: webdriver.Chrome, places: Mapping[str, Path], name: str
) -> None:
    down, across = (96 * side / 25.4 for side in SIDE)
    visit(browser, places[name], int(across), media="print")
    first, second = script(
        browser,
        "const box = key => document.getElementById(key).getBoundingClientRect();"
        "return [box('answer').bottom, box('glance').height]",
    )
    assert first <= down
    assert second <= down
    wide = "return [...document.querySelectorAll('table')].map(t => t.offsetWidth)"
    assert max(script(browser, wide)) <= across  # or the whole print shrinks


def test_the_answer_leads_to_what_is_behind_it(
    browser: webdriver.Chrome, places: Mapping[str, Path]
) -> None:
    visit(browser, places["everything"], 1280)
    hidden = "return document.getElementById('policies').checkVisibility()"
    assert not script(browser, hidden)
    browser.find_element("link text", "What policies change").click()
    assert script(browser, hidden)
