"""What all tests share."""

from browser import pytest_terminal_summary  # noqa: F401  pytest finds it here
