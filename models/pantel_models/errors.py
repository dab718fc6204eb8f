"""Errors of the shipped models.

ModelError
 +-- ManifestError    an artefact is unknown, missing or does not match its hash
 |    +-- UnknownModelError   none of those installed has this name
 +-- BudgetError      no picture fits into the bytes that were asked for
"""

from __future__ import annotations

__all__ = ["BudgetError", "ManifestError", "ModelError", "UnknownModelError"]


class ModelError(Exception):
    """Base of all errors of the models; its text is one line for the user."""


class ManifestError(ModelError):
    """An artefact is unknown, missing or does not match its hash."""


class UnknownModelError(ManifestError):
    """No artefact with this name, tag or hash is installed."""


class BudgetError(ModelError, ValueError):
    """No picture fits into the bytes that were asked for."""
