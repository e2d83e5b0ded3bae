"""The report in a real browser: from disk, with the network off, without a word on the console."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from report_sample import sample_run
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from equiv.report import write

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --window-size=1200,1600"
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    binary = next(filter(None, map(shutil.which, BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if binary is None or driver is None:
        pytest.skip("needs Chromium and its driver: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for flag in (*FLAGS.split(), f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chrome = webdriver.Chrome(options=options, service=webdriver.ChromeService(executable_path=driver))
    chrome.execute_cdp_cmd("Network.enable", {})
    chrome.execute_cdp_cmd(
        "Network.emulateNetworkConditions",
        {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0},
    )
    yield chrome
    chrome.quit()


@pytest.fixture
def page(browser: webdriver.Chrome, tmp_path: Path) -> webdriver.Chrome:
    _, html = write(sample_run(), tmp_path)
    browser.get(html.as_uri())
    return browser


def visible(page: webdriver.Chrome, selector: str) -> list[str]:
    return [
        e.get_attribute("id") or "" for e in page.find_elements(By.CSS_SELECTOR, selector) if e.is_displayed()
    ]


def test_nothing_is_said_on_the_console_and_nothing_is_fetched(page: webdriver.Chrome) -> None:
    page.find_element(By.ID, "unfold").click()
    assert page.get_log("browser") == []
    assert fetched(page) == []


def fetched(page: webdriver.Chrome) -> list[str]:
    """What the report asked for beside itself."""
    events = [json.loads(entry["message"])["message"] for entry in page.get_log("performance")]
    asked = [e["params"] for e in events if e["method"] == "Network.requestWillBeSent"]
    own = [p["request"]["url"] for p in asked if p["documentURL"].startswith("file://")]
    return [url for url in own if not url.endswith("/report.html")]


def test_a_request_would_be_seen(page: webdriver.Chrome) -> None:
    page.get_log("performance")
    page.execute_script("new Image().src = 'file:///nowhere.png'")
    page.execute_async_script("setTimeout(arguments[0], 100)")
    seen = [*fetched(page), *(entry["message"] for entry in page.get_log("browser"))]
    assert any("nowhere.png" in text for text in seen)


def test_an_error_on_the_console_would_be_seen(page: webdriver.Chrome) -> None:
    page.execute_script("setTimeout(() => { throw new Error('seen') })")
    page.execute_async_script("setTimeout(arguments[0], 50)")
    assert any("seen" in entry["message"] for entry in page.get_log("browser"))


def test_the_filter_keeps_what_matches(page: webdriver.Chrome) -> None:
    everything = visible(page, "#claims .item")
    box = page.find_element(By.ID, "query")
    box.send_keys("f-ddim-is-fm")
    assert 0 < len(visible(page, "#claims .item")) < len(everything)
    box.send_keys(Keys.ESCAPE)
    assert visible(page, "#claims .item") == everything
    box.send_keys("no such thing anywhere")
    assert page.find_element(By.ID, "nothing").is_displayed()
    box.send_keys(Keys.ESCAPE)


def test_the_verdict_buttons_filter(page: webdriver.Chrome) -> None:
    everything = visible(page, ".item")
    button = page.find_element(By.CSS_SELECTOR, "[data-filter]")
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    assert 0 < len(visible(page, ".item")) < len(everything)


def test_a_link_opens_what_it_points_into(page: webdriver.Chrome) -> None:
    cell = page.find_element(By.CSS_SELECTOR, "a.cell")
    target = page.execute_script("return arguments[0].hash.slice(1)", cell)
    page.execute_script("arguments[0].click()", cell)
    page.execute_async_script("setTimeout(arguments[0], 100)")
    assert page.find_element(By.ID, target).is_displayed()


def test_formulas_are_drawn_as_mathematics(page: webdriver.Chrome) -> None:
    heights = page.execute_script(
        "return [...document.querySelectorAll('math mfrac')].map(m => m.getBoundingClientRect().height)"
    )
    assert heights
    assert max(heights) > 20


@pytest.mark.parametrize("width", [360, 1200])
def test_the_page_fits_its_window(page: webdriver.Chrome, width: int) -> None:
    page.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600},
    )
    overflow = page.execute_script("return document.documentElement.scrollWidth - window.innerWidth")
    page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert overflow <= 0
