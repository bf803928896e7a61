"""Headless Chromium, for the tests that look at pages.

With the variable DETENTE_PICTURES the pictures of the documentation are made on the way.
"""

from __future__ import annotations

import base64
import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import BROWSER, DRIVER

if TYPE_CHECKING:
    from selenium import webdriver

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


@contextlib.contextmanager
def chromium(profile: Path) -> Iterator[webdriver.Chrome]:
    """A browser with a folder of its own."""
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    options = Options()
    options.binary_location = str(BROWSER)
    for argument in (*ARGUMENTS, f"--user-data-dir={profile}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


def emulate(browser: webdriver.Chrome, width: int, theme: str = "light", media: str = "") -> None:
    """A screen of this width."""
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    features = [{"name": "prefers-color-scheme", "value": theme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})


def free_ports() -> int:
    """A port that is free, as is the one after it."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            with contextlib.suppress(OSError):
                second.bind(("127.0.0.1", port + 1))
                return port


def script(browser: webdriver.Chrome, text: str) -> Any:
    return browser.execute_script(text)


def picture(browser: webdriver.Chrome, name: str, width: int, most: int = 1500) -> None:
    """What is seen is written into the documentation, where that was asked for."""
    emulate(browser, width)
    if os.environ.get("DETENTE_PICTURES"):
        size = script(browser, "return document.documentElement.scrollHeight")
        clip = {"x": 0, "y": 0, "width": width, "height": min(size, most), "scale": 1}
        shot = browser.execute_cdp_cmd(
            "Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip}
        )
        path = Path(__file__).parents[1] / "docs" / "images" / f"{name}.png"
        path.write_bytes(base64.b64decode(shot["data"]))
