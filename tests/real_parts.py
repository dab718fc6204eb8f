"""Tests with real parts from Debian packages: skipped where a part is missing, unless that must not happen."""

from __future__ import annotations

import os
import shutil

import pytest

__all__ = ["REQUIRED", "needs_program", "present"]

REQUIRED = "REQUIRE_REAL_PARTS"
"""Set to 1, as `.ci/run` does, a missing program fails the tests that need it."""


def present(program: str) -> bool:
    """Whether to run what needs a program: it is there, or it must be."""
    return shutil.which(program) is not None or os.environ.get(REQUIRED) == "1"


def needs_program(program: str, package: str | None = None) -> pytest.MarkDecorator:
    """Return the mark of tests that need the program of a Debian package, of the same name by default."""
    return pytest.mark.skipif(not present(program), reason=f"needs the Debian package {package or program}")
