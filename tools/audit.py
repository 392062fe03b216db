"""Asks the package index whether a locked package has a known weakness: for `make check`.

Exits with 1 where one has that is not excepted below. Where the index does not tell, on a machine without a network or
behind a mirror that has only files, this says so and exits with 0: nothing is known to be wrong, and nothing to be right.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements-dev.lock"
# Weaknesses that do not reach this project, by the number of their report, with the reason.
EXCEPTIONS: dict[str, str] = {}


def main() -> int:
    """Print what is known of the locked packages and return the exit status."""
    command = [sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off", "--disable-pip"]
    asked = subprocess.run([*command, "--require-hashes", "-r", str(LOCK)], capture_output=True, text=True)
    try:
        packages: list[dict[str, Any]] = json.loads(asked.stdout)["dependencies"]
    except (ValueError, KeyError):
        last = asked.stderr.strip().splitlines()[-1:] or ["no answer"]
        print(f"Not audited: the package index tells nothing of weaknesses here ({last[0]}).")
        return 0
    looked_up = [package for package in packages if "skip_reason" not in package]
    found = [(package, weakness) for package in looked_up for weakness in package["vulns"]]
    for package, weakness in found:
        excepted = EXCEPTIONS.get(weakness["id"])
        mended = ", ".join(weakness["fix_versions"]) or "no version yet"
        print(f"{package['name']} {package['version']}: {weakness['id']}, mended in {mended}. {excepted or ''}".rstrip())
    if not looked_up:
        print(f"Not audited: the package index here tells nothing of weaknesses of the {len(packages)} locked packages.")
        return 0
    print(f"{len(looked_up)} of {len(packages)} locked packages looked up, {len(found)} weaknesses known.")
    return int(any(weakness["id"] not in EXCEPTIONS for _, weakness in found))


if __name__ == "__main__":
    raise SystemExit(main())
