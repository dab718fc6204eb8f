"""Errors of the shipped models.

ModelError
 +-- ManifestError    an artefact is unknown, missing or does not match its hash
 +-- BudgetError      no picture fits into the bytes that were asked for
"""

from __future__ import annotations

__all__ = ["BudgetError", "ManifestError", "ModelError"]


class ModelError(Exception):
    """Base of all errors of the models; its text is one line for the user."""


class ManifestError(ModelError):
    """An artefact is unknown, missing or does not match its hash."""


class BudgetError(ModelError, ValueError):
    """No picture fits into the bytes that were asked for."""
