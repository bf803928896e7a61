"""Play in Chromium: four people in four windows through a whole game, with a real server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.chromium import browser, emulate, free_ports, picture, script
from tests.workbench.play.conftest import served

if TYPE_CHECKING:
    from selenium import webdriver

pytestmark = pytest.mark.browser
__all__ = ["browser"]  # a fixture

PATIENCE = 60
"""Seconds, on a machine that is busy."""

MINE = "document.querySelector('.options button:not(:disabled)')"
OVER = "document.getElementById('over')"
NAMES = ("Ann", "Bob", "Cy", "Di")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("rooms")) as (home, _):
        yield home


def wait(browser: webdriver.Chrome, condition: str) -> None:
    end = time.monotonic() + PATIENCE
    while not browser.execute_script(f"return !!({condition})"):
        assert time.monotonic() < end, (condition, browser.find_element("tag name", "body").text)
        time.sleep(0.02)


def window(browser: webdriver.Chrome, link: str) -> str:
    browser.switch_to.new_window("tab")
    emulate(browser, 390)
    browser.get(link)
    return str(browser.current_window_handle)


def step(browser: webdriver.Chrome, windows: list[str]) -> bool:
    """Everybody whose turn it is chooses, with the keyboard; whether anybody was."""
    from selenium.webdriver.common.keys import Keys

    any_did = False
    for handle in windows:
        browser.switch_to.window(handle)
        # At once: meanwhile the solution may have chosen for who took too long.
        if script(browser, f"const mine = {MINE}; mine?.focus(); return !!mine"):
            browser.switch_to.active_element.send_keys(Keys.ENTER)
            wait(browser, f"!{MINE} || {OVER}")
            any_did = True
    return any_did


def test_four_people_play_a_whole_game(browser: webdriver.Chrome, address: str) -> None:
    browser.get(address)
    browser.find_element("link text", "play it with others").click()
    field = browser.find_element("name", "patience")
    field.clear()
    field.send_keys("2")
    browser.find_element("css selector", "form.open button").click()
    wait(browser, "document.querySelector('#live .code')")
    host = browser.current_window_handle
    link = browser.find_element("css selector", "#live a").get_attribute("href")
    windows = []
    for name in NAMES:
        windows.append(window(browser, link))
        browser.find_element("name", "name").send_keys(f"{name}\n")
        wait(browser, "location.pathname.startsWith('/seat/')")
        wait(browser, "document.querySelector('#live').textContent.includes('in the room')"
             " || document.querySelector('#live').textContent.includes('In the room')")  # fmt: skip
    browser.switch_to.window(host)
    wait(browser, "document.querySelector('#deal:not(:disabled)')")
    browser.find_element("id", "deal").click()
    wait(browser, "document.getElementById('tables-h')")
    for handle in windows:
        browser.switch_to.window(handle)
        wait(browser, "document.getElementById('moves-h')")
        assert script(browser, "return document.documentElement.scrollWidth") <= 390
        if script(browser, f"return !!{MINE}"):
            picture(browser, "play-turn", 390)
    assert step(browser, windows)

    # One loads the page again, and is where she was.
    browser.switch_to.window(windows[0])
    before = browser.find_element("css selector", ".you h2").text
    browser.refresh()
    wait(browser, "document.getElementById('moves-h')")
    assert browser.find_element("css selector", ".you h2").text == before

    # One closes his window: the solution plays for him, and the others come to the end.
    browser.switch_to.window(windows[3])
    gone = browser.current_url
    browser.close()
    rest = windows[:3]
    end = time.monotonic() + PATIENCE
    while True:
        step(browser, rest)
        done = []
        for handle in rest:
            browser.switch_to.window(handle)
            done.append(script(browser, f"return !!{OVER}"))
        if all(done):
            break
        assert time.monotonic() < end
    for handle in rest:
        browser.switch_to.window(handle)
        text = browser.find_element("id", "live").text
        assert "How it came out" in text
        assert "in truth it was" in text
    picture(browser, "play-debrief", 390)

    # He comes back to his address, and sees how it ended.
    window(browser, gone)
    wait(browser, OVER)

    browser.switch_to.window(host)
    emulate(browser, 1280)
    wait(browser, "document.querySelectorAll('a[href*=\"moves-\"]').length === 2")
    browser.find_element("id", "debrief").click()
    wait(browser, "document.querySelector('#class svg')")
    assert "of 2" in browser.find_element("id", "class").text
    picture(browser, "play-class", 1280)
    assert browser.get_log("browser") == []


def test_everything_that_acts_has_a_name(browser: webdriver.Chrome, address: str) -> None:
    acting = {"button", "combobox", "textbox", "checkbox", "spinbutton", "link"}
    for handle in browser.window_handles:
        browser.switch_to.window(handle)
        nodes = browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
        for node in nodes:
            if node.get("role", {}).get("value") in acting and not node.get("ignored"):
                assert node.get("name", {}).get("value"), node


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_every_page_fits(browser: webdriver.Chrome, address: str, width: int, theme: str) -> None:
    for handle in browser.window_handles:
        browser.switch_to.window(handle)
        emulate(browser, width, theme)
        assert script(browser, "return document.documentElement.scrollWidth") <= width


def test_a_server_that_begins_anew_is_taken_up_again(
    browser: webdriver.Chrome, tmp_path: Path
) -> None:
    """In the middle of a game: pages stay open, and go on by themselves."""
    port = free_ports()
    with served(tmp_path, port=port) as (home, _):
        host = window(browser, f"{home.split('?')[0]}play?{home.split('?')[1]}")
        browser.find_element("css selector", "form.open button").click()
        wait(browser, "document.querySelector('#live .code')")
        player = window(
            browser, browser.find_element("css selector", "#live a").get_attribute("href")
        )
        browser.find_element("name", "name").send_keys("Ann\n")
        wait(browser, "document.querySelector('#live')?.textContent.includes('n the room')")
        browser.switch_to.window(host)
        wait(browser, "document.querySelector('#deal:not(:disabled)')")
        browser.find_element("id", "deal").click()
        browser.switch_to.window(player)
        wait(browser, MINE)
        before = browser.find_element("css selector", ".you h2").text
    wait(browser, "!document.getElementById('lost').hidden")
    with served(tmp_path, port=port) as (home, _):
        wait(browser, "document.getElementById('lost').hidden")
        assert browser.find_element("css selector", ".you h2").text == before
        end = time.monotonic() + PATIENCE
        while not script(browser, f"return !!{OVER}"):
            script(
                browser, f"{MINE}?.click()"
            )  # after the solution's move it may be her turn again
            time.sleep(0.05)
            assert time.monotonic() < end
        browser.switch_to.window(host)
        wait(browser, "document.getElementById('lost').textContent.includes('started anew')")
        window(browser, home)
        browser.close()
        browser.switch_to.window(host)
        wait(browser, "document.getElementById('lost').hidden")
        assert "Ann" in browser.find_element("id", "live").text
