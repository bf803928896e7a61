"""The workbench in Chromium, used as a person would: a real server, real solves."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from detente import numbers
from tests.chromium import browser, emulate, free_ports, picture, script
from tests.report.conftest import EVERYTHING

if TYPE_CHECKING:
    from selenium import webdriver

pytestmark = pytest.mark.browser
__all__ = ["browser"]  # a fixture

PATIENCE = 300
"""Seconds: the first solve on a machine compiles its kernels."""

EXACT = "document.getElementById('stage').dataset.stage === 'exact'"
DRAWN = "!!document.querySelector('#sections svg') && !document.querySelector('#detail.stale')"
KNOWN = "document.getElementById('decisive-about').textContent.startsWith('The three')"
MOVE = """
const input = document.querySelector(`#three input[type=range][data-name="${arguments[0]}"]`);
input.value = arguments[1];
const begin = performance.now();
input.dispatchEvent(new Event('input', {bubbles: true}));
const stage = document.getElementById('stage').dataset.stage, after = performance.now();
input.dispatchEvent(new Event('change', {bubbles: true}));
return [stage, after - begin];
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("desk") / "standoff.yaml"
    path.write_text(EVERYTHING, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def address(server: tuple[str, subprocess.Popen[str]]) -> str:
    return server[0]


@pytest.fixture(scope="module")
def server(file: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    with serving(file.name, "bargaining-rounds", folder=file.parent) as started:
        yield started


@contextmanager
def serving(
    *scenarios: str, folder: Path, port: int = 0
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address of a server, and its process."""
    command = [sys.executable, "-m", "detente.cli.main", "serve", *scenarios]
    command += ["--port", str(port), "--no-browser", "--beliefs", "9"]
    source = Path(__file__).parents[2] / "src"
    with subprocess.Popen(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(source)},
    ) as process:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found is not None
        try:
            yield found[0], process
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=30)


def wait(browser: webdriver.Chrome, condition: str) -> None:
    end = time.monotonic() + PATIENCE
    while not browser.execute_script(f"return {condition}"):
        assert time.monotonic() < end, condition
        time.sleep(0.05)


def opened(
    browser: webdriver.Chrome, address: str, width: int = 1280, theme: str = "light"
) -> None:
    emulate(browser, width, theme)
    browser.get(address)
    wait(browser, EXACT)
    wait(browser, KNOWN)


def text(browser: webdriver.Chrome, name: str) -> str:
    return browser.find_element("id", name).text


def move(browser: webdriver.Chrome, name: str, value: float) -> Any:
    return browser.execute_script(MOVE, name, value)


def test_a_slider_moves_the_forecast_and_can_be_undone(
    browser: webdriver.Chrome, address: str
) -> None:
    opened(browser, address)
    home = browser.current_url
    assert "token" not in home
    before = text(browser, "chances")
    browser.find_element("id", "pin").click()
    stage, _ = move(browser, "luck", 0.6)
    assert stage == "linear"  # before anything is solved
    wait(browser, EXACT)
    wait(browser, DRAWN)
    after = text(browser, "chances")
    assert after.replace("\n", " ") != before.replace("\n", " ")
    assert re.search(r"\+\d+ point", after)
    assert browser.current_url.endswith("?v.luck=0.6")
    field = browser.find_element("id", "command").get_attribute("value")
    assert field == "detente run standoff.yaml --set luck=0.6"
    browser.find_element("id", "undo").click()
    wait(browser, f"location.href === '{home}'")
    wait(browser, EXACT)
    browser.find_element("id", "redo").click()
    wait(browser, "location.search === '?v.luck=0.6'")
    browser.refresh()
    wait(browser, EXACT)
    wait(browser, DRAWN)
    assert re.search(r"\+\d+ point", text(browser, "chances"))  # the baseline is still there
    assert text(browser, "pin") == "Unpin the baseline"
    browser.find_element("id", "pin").click()
    assert not re.search("point", text(browser, "chances"))


def test_a_link_is_a_state(browser: webdriver.Chrome, address: str) -> None:
    opened(browser, address)
    browser.get(address.split("?")[0] + "desk/0?v.luck=0.45&policy=nothing&v.gone=3")
    wait(browser, EXACT)
    assert "luck = 0.45" in text(browser, "changes")
    assert "policy: nothing" in text(browser, "changes")
    assert "gone" in text(browser, "changes")
    browser.refresh()
    wait(browser, EXACT)
    assert "luck = 0.45" in text(browser, "changes")


def test_the_file_is_watched_and_a_mistake_keeps_the_forecast(
    browser: webdriver.Chrome, address: str, file: Path
) -> None:
    opened(browser, address)
    before = text(browser, "chances")
    try:
        file.write_text(EVERYTHING.replace("value: 0.3\n", "value: often\n"), encoding="utf-8")
        wait(browser, "!document.getElementById('diagnostics').hidden")
        assert "standoff.yaml:" in text(browser, "diagnostics")
        assert text(browser, "chances") == before
        file.write_text(EVERYTHING.replace("value: 0.3\n", "value: 0.6\n"), encoding="utf-8")
        wait(browser, "document.getElementById('diagnostics').hidden")
        wait(browser, "document.querySelector('#three input[data-name=luck]').value === '0.6'")
        wait(browser, EXACT)
        assert text(browser, "chances") != before
    finally:
        file.write_text(EVERYTHING, encoding="utf-8")
        wait(browser, "document.querySelector('#three input[data-name=luck]').value === '0.3'")


def test_a_lost_connection_is_seen_and_nothing_is_lost(
    browser: webdriver.Chrome, server: tuple[str, subprocess.Popen[str]]
) -> None:
    """The server is held for a while, as a machine that sleeps is."""
    address, process = server
    opened(browser, address)
    process.send_signal(signal.SIGSTOP)
    try:
        move(browser, "luck", 0.45)
        wait(browser, "!document.getElementById('lost').hidden")
        assert "Nothing that you have set is lost" in text(browser, "lost")
    finally:
        process.send_signal(signal.SIGCONT)
    wait(browser, "document.getElementById('lost').hidden")
    wait(browser, EXACT)
    assert "luck = 0.45" in text(browser, "changes")


def test_a_server_that_begins_anew_is_taken_up_again(
    browser: webdriver.Chrome, tmp_path: Path
) -> None:
    """Killed while it solves; somebody has moved a slider and types a name."""
    port = free_ports()
    with serving("bargaining-rounds", folder=tmp_path, port=port) as (address, process):
        opened(browser, address)
        page = browser.current_window_handle
        script(browser, "document.querySelector('[data-what=sensitivity]').click()")
        move(browser, "prior", 0.6)
        process.kill()
        script(browser, "document.getElementById('more').open = true")
        browser.find_element("id", "save-name").send_keys("typed")
        wait(browser, "!document.getElementById('lost').hidden")
    with serving("bargaining-rounds", folder=tmp_path, port=port) as (address, _):
        wait(browser, "document.getElementById('lost').textContent.includes('started anew')")
        browser.switch_to.new_window("tab")
        browser.get(address)
        browser.close()
        browser.switch_to.window(page)
        wait(browser, "document.getElementById('lost').hidden")
        wait(browser, EXACT)
        assert "prior = 0.6" in text(browser, "changes")
        assert "typed" in str(browser.find_element("id", "save-name").get_attribute("value"))
        wait(browser, "document.querySelectorAll('.job .stop:not([hidden])').length === 0")
        assert script(browser, "return document.getElementById('diagnostics').hidden")


def test_no_two_parts_of_the_page_have_one_name(browser: webdriver.Chrome, address: str) -> None:
    """The sections that the server sends bring names of their own."""
    opened(browser, address)
    wait(browser, DRAWN)
    names = script(browser, "return [...document.querySelectorAll('[id]')].map((e) => e.id)")
    assert sorted(names) == sorted(set(names))


def test_a_solve_that_fails_is_shown_as_such(browser: webdriver.Chrome, address: str) -> None:
    """With belief points of which there is no grid."""
    opened(browser, address)
    before = text(browser, "chances")
    choose = "const input = document.getElementById('belief-points'); input.value = arguments[0];"
    choose += "input.dispatchEvent(new Event('change', {bubbles: true}));"
    browser.execute_script(choose, "8")
    wait(browser, "document.getElementById('stage').dataset.stage === 'failed'")
    assert "belief points are an odd number" in text(browser, "diagnostics")
    assert "of another one" in text(browser, "stage")
    assert text(browser, "chances") == before
    assert script(browser, "return document.querySelectorAll('#chances .old').length")
    browser.execute_script(choose, "")
    wait(browser, EXACT)
    assert script(browser, "return document.getElementById('diagnostics').hidden")
    assert text(browser, "chances") == before


def test_analyses_run_beside_and_can_be_cancelled(browser: webdriver.Chrome, address: str) -> None:
    opened(browser, address)
    browser.find_element("css selector", "#asking summary").click()
    for what in ("sensitivity", "compare"):
        browser.execute_script(f"document.querySelector('[data-what={what}]').click()")
    wait(browser, "document.querySelectorAll('.job .result section').length >= 2")
    assert "Which assumptions matter" in text(browser, "jobs")
    browser.execute_script("document.querySelector('[data-what=report]').click()")
    wait(browser, "document.querySelectorAll('.job').length === 3")
    wait(browser, "!!document.querySelector('.job .stop').onclick")
    browser.execute_script("document.querySelector('.job .stop').click()")
    wait(browser, "document.querySelectorAll('.job .close:not([hidden])').length === 3")
    assert "Cancelled" in text(browser, "jobs")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_and_says_nothing_on_the_console(
    browser: webdriver.Chrome, address: str, width: int, theme: str
) -> None:
    browser.get_log("browser")
    opened(browser, address, width, theme)
    wait(browser, DRAWN)
    assert script(browser, "return document.documentElement.scrollWidth") <= width
    assert browser.get_log("browser") == []


def test_pictures_of_the_first_screen(browser: webdriver.Chrome, address: str) -> None:
    """With a baseline and one assumption moved."""
    opened(browser, address.split("?")[0] + "desk/1")
    browser.find_element("id", "pin").click()
    move(browser, "prior", 0.6)
    wait(browser, EXACT)
    wait(browser, DRAWN)
    script(browser, "document.querySelector('nav').remove()")  # it has the other scenario's title
    picture(browser, "workbench", 1280, most=900)
    assert re.search(r"[+\u2212]\d+ points?", text(browser, "chances"))


def test_it_is_used_by_keyboard_alone(browser: webdriver.Chrome, address: str) -> None:
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    opened(browser, address)
    slider = browser.find_element("css selector", "#three input[type=range]")
    script(browser, "document.querySelector('#three input[type=range]').focus()")
    slider.send_keys(Keys.ARROW_RIGHT)
    wait(browser, "location.search.startsWith('?v.')")
    wait(browser, EXACT)
    assert browser.execute_script("return document.activeElement.type") == "range"
    reached = set()
    for _ in range(60):
        ActionChains(browser).send_keys(
            Keys.TAB
        ).perform()  # not to an element: files are put there
        reached.add(browser.switch_to.active_element.get_attribute("id"))
    assert {"policy", "outcome", "undo", "reset", "pin"} <= reached


def test_everything_that_acts_has_a_name(browser: webdriver.Chrome, address: str) -> None:
    opened(browser, address)
    nodes = browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    acting = {"button", "slider", "spinbutton", "combobox", "textbox", "progressbar", "link"}
    for node in nodes:
        if node.get("role", {}).get("value") in acting and not node.get("ignored"):
            assert node.get("name", {}).get("value"), node


def test_numbers_are_written_as_everywhere(browser: webdriver.Chrome, address: str) -> None:
    opened(browser, address)
    shares = [0, 1e-9, 0.0004, 0.004, 0.006, 0.1234, 0.5, 0.994, 0.9951, 0.9996, 1 - 1e-12, 1]
    pairs = [[share, error] for share in shares for error in (1.0, 1e-4)]
    written = browser.execute_async_script(
        "const done = arguments[1]; import('/static/numbers.js').then(m => done(["
        "arguments[0].map(([v, e]) => m.percent(v, e)), arguments[0].map(([v]) => m.points(v))]))",
        pairs,
    )
    spaced = [[line.replace("\N{NO-BREAK SPACE}", " ") for line in lines] for lines in written]
    assert spaced == [
        [numbers.percent(v, e) for v, e in pairs],
        [numbers.points(v) for v, _ in pairs],
    ]
