"""Errors of the workshop.

ExportError
 +-- DataError       the training material is missing or unusable
 +-- RunError        a run folder does not fit the settings it is resumed with
 +-- VerifyError     what was exported does not do what the trained network did
"""

from __future__ import annotations

__all__ = ["DataError", "ExportError", "RunError", "VerifyError"]


class ExportError(Exception):
    """Base of all errors of the workshop; its text is one line for the user."""


class DataError(ExportError):
    """The training material is missing or unusable."""


class RunError(ExportError):
    """A run folder does not fit the settings it is resumed with."""


class VerifyError(ExportError):
    """What was exported does not do what the trained network did."""
