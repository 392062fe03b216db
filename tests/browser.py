"""The browser that the tests of the page drive: Debian's chromium, else playwright's own build of it.

``python tests/browser.py`` brings one where neither is here, as ``make test`` does first.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Playwright, sync_playwright

NEEDED = "STYLEMASK_TESTS_NEED_BROWSER"  # environment: when set, a missing browser is a failure
NONE = "No browser is here: apt-get install chromium, or .venv/bin/playwright install --with-deps chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def launch(playwright: Playwright, more: Sequence[str] = ()) -> Browser | None:
    """Start the browser without a window, with more flags if any; None where there is none that starts."""
    for executable in (shutil.which("chromium"), playwright.chromium.executable_path):
        if executable and Path(executable).is_file():
            try:
                return playwright.chromium.launch(executable_path=executable, args=[*FLAGS, *more])
            except Error as error:
                print(f"{executable} does not start: {error}", file=sys.stderr)
    return None


def launch_or_skip(playwright: Playwright, more: Sequence[str] = ()) -> Browser:
    """Start the browser; without one the test is skipped, or fails where a browser is demanded."""
    browser = launch(playwright, more)
    if browser is None:
        (pytest.fail if os.environ.get(NEEDED) else pytest.skip)(NONE)
    return browser


def _starts() -> bool:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        if browser is not None:
            browser.close()
        return browser is not None


def _rights() -> list[str] | None:
    """Return what commands of the system's administrator start with; None for want of rights."""
    if os.geteuid() == 0:
        return []
    sudo = ["sudo", "-n"]
    return sudo if shutil.which("sudo") and subprocess.run([*sudo, "true"], capture_output=True).returncode == 0 else None


def _install() -> None:
    """Install Debian's chromium, and where that cannot be had playwright's."""
    rights = _rights()
    debian = rights is not None and shutil.which("apt-get") is not None
    if debian:
        print("Installing chromium for the tests of the page.", flush=True)
        apt = [*rights, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
        subprocess.run([*apt, "update"], stdout=subprocess.DEVNULL)
        install = [*apt, "install", "-y", "--no-install-recommends", "chromium", "fonts-liberation"]
        if subprocess.run(install, stdout=subprocess.DEVNULL).returncode == 0:
            return
    print("Downloading playwright's chromium for the tests of the page.", flush=True)
    dependencies = ["--with-deps"] if debian else []
    subprocess.run([sys.executable, "-m", "playwright", "install", *dependencies, "chromium"])


if __name__ == "__main__":
    if not _starts():
        _install()
        if not _starts():
            print(f"THE PAGE WILL NOT BE TESTED. {NONE}", file=sys.stderr)
