"""Known faults of the packages that a server runs (`requirements/lock.txt`), as pip-audit finds them.

    make lint        # or: python -m tests.audit

fails for a fault that is known. Where its data cannot be had, one line says so and nothing fails: a machine without
the network can be worked on too.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LOCK = "requirements/lock.txt"
# The lock names every package with its hash, so nothing is resolved and nothing installed.
ARGUMENTS = [
    "--require-hashes", "--disable-pip", "--requirement", LOCK,
    "--format", "json", "--desc", "off", "--progress-spinner", "off", "--timeout", "5",
]  # fmt: skip
SECONDS = 120


def read(command: str) -> list[dict[str, Any]] | None:
    """What was found about each package; `None` where nothing could be asked."""
    try:
        done = subprocess.run(
            [command, *ARGUMENTS], cwd=ROOT, capture_output=True, text=True, check=False, timeout=SECONDS
        )
        found: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (OSError, subprocess.TimeoutExpired, ValueError, KeyError, TypeError):
        return None
    return found


def main(command: str) -> int:
    """The exit status; what it is about is printed."""
    packages = read(command)
    unknown = [package["name"] for package in packages or [] if "skip_reason" in package]
    if packages is None or len(unknown) == len(packages):
        print("The data about known faults cannot be had here: the packages were not audited.")
        return 0
    if unknown:
        print(f"{len(unknown)} of {len(packages)} packages were not audited: {', '.join(unknown)}")
    faults = [(package, fault) for package in packages for fault in package.get("vulns", [])]
    for package, fault in faults:
        names = ", ".join([fault["id"], *fault.get("aliases", [])])
        mended = ", ".join(fault.get("fix_versions", [])) or "no version yet"
        print(f"{package['name']} {package['version']} has a known fault ({names}); mended in {mended}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else str(Path(sys.executable).with_name("pip-audit"))))
