"""The browser of the machine, for tests and for who looks at pages."""

import shutil
import subprocess

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
HOW_TO_GET = "on Debian: apt-get install chromium"


def find_chromium() -> str | None:
    """Give the path of a Chromium, if there is one."""
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


def describe_chromium() -> str:
    """Say in one line which browser the tests use, or that there is none."""
    program = find_chromium()
    if program is None:
        return f"browser: none, so nothing in tests/browser is tested; {HOW_TO_GET}"
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    return f"browser: {said.stdout.strip() or 'of unknown version'} ({program})"
