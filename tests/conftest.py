"""What tests share: one reenactor of the embedded pack, portraits of test people, one page, and one browser.

Each is made when a test first asks for it. A test that changes one of them for longer than itself makes its own.
"""

import os

if "PYTEST_XDIST_WORKER" in os.environ:  # the cores are shared by processes of tests: set before torch is imported
    os.environ["OMP_NUM_THREADS"] = "1"

from collections.abc import Callable, Iterator
from pathlib import Path

import browser as browsers
import front
import pytest
import recorded_weights
from browser import launch_or_skip
from gradio_client import Client
from people import names, picture
from playwright.sync_api import Browser, Playwright, sync_playwright
from serving import FEW_STEPS, serving
from torch import Tensor
from visiting import Visit

from stylemask_demo import Portrait, Reenactor

# What is not tested where something cannot be had, and what the tests say then.
UNTESTED = {"THE PAGE WAS NOT TESTED": browsers.NONE, "REPLICAS WERE NOT TESTED": front.NONE}
# Fixtures that processes of tests had better not make twice.
SHARED = {"reenactor": "people", "address": "page", "weights": "weights"}
LONG = {"sources", "targets", "address", "client"}  # fixtures that take more than two seconds to make


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark tests by the fixtures that they use.

    In several processes, ``pytest -n 2 --dist loadgroup``, all tests of a file are run by one of them, and so are all files
    that share a fixture.
    """
    groups = {}
    for item in items:
        fixtures = set(item.fixturenames)
        if fixtures & LONG:
            item.add_marker(pytest.mark.slow)
        if "playwright" in fixtures:
            item.add_marker(pytest.mark.browser)
        for fixture in fixtures & SHARED.keys():
            groups[item.path] = SHARED[fixture]
    if config.pluginmanager.hasplugin("xdist"):
        for item in items:
            item.add_marker(pytest.mark.xdist_group(groups.get(item.path, item.path.stem)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say below the results how many tests were skipped for want of something."""
    for title, reason in UNTESTED.items():
        skipped = sum(reason in str(report.longrepr) for report in terminalreporter.stats.get("skipped", ()))
        if skipped:
            terminalreporter.section(title, red=True, bold=True)
            terminalreporter.line(f"{skipped} tests were skipped. {reason}", red=True)


@pytest.fixture(scope="session")
def reenactor() -> Reenactor:
    """The embedded pack. It remembers portraits, so that who is in several tests is inverted once."""
    return Reenactor.from_pack("synthetic", device="cpu")


@pytest.fixture(scope="session")
def sources(reenactor: Reenactor) -> list[Portrait]:
    """Eight people."""
    return reenactor.portrait([picture(name) for name in names(0)])


@pytest.fixture(scope="session")
def targets(reenactor: Reenactor) -> list[Portrait]:
    """Eight other people, turned otherwise."""
    return reenactor.portrait([picture(name) for name in names(1)])


@pytest.fixture(scope="session")
def weights() -> Callable[..., dict[str, Tensor]]:
    """`recorded_weights.state`: the weights that the published programs were recorded with."""
    return recorded_weights.state


@pytest.fixture(scope="session")
def uploads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the page keeps what visitors send."""
    return tmp_path_factory.mktemp("uploads")


@pytest.fixture(scope="session")
def address(uploads: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the page, which matches people in fewer steps than it should."""
    log = tmp_path_factory.mktemp("page") / "log"
    environment = {"GRADIO_TEMP_DIR": str(uploads), "STYLEMASK_HOME": str(log.parent / "home")}
    with serving(log, setup=FEW_STEPS, **environment) as address:
        yield address
    assert not [file for file in uploads.rglob("*") if file.is_file()], "uploads outlived the page"


@pytest.fixture(scope="session")
def client(address: str) -> Client:
    """A program that uses the page's HTTP API."""
    return Client(address, verbose=False, httpx_kwargs={"timeout": 60})  # seconds: a busy machine answers late


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """What starts browsers."""
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """The browser; tests that want one are skipped where none can be had."""
    browser = launch_or_skip(playwright)
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def tab(browser: Browser, address: str) -> Iterator[Visit]:
    """One tab for all tests of a file: each begins where the last one has ended. It may not have had a problem."""
    # Who wants no motion is spared the animation in the page's head, which would be drawn all the time.
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    tab = Visit(context.new_page(), address)
    yield tab
    context.close()
    assert not tab.problems


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Callable[..., Visit]]:
    """Return a function that opens the page; at the end no tab may have had a problem."""
    contexts, visits = [], []

    def open_page(width: int = 1280, height: int = 900, **settings) -> Visit:
        contexts.append(browser.new_context(viewport={"width": width, "height": height}, **settings))
        visits.append(Visit(contexts[-1].new_page(), address))
        return visits[-1]

    yield open_page
    problems = [problem for visit in visits for problem in visit.problems]
    for context in contexts:
        context.close()
    assert not problems
