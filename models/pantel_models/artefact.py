"""Artefacts: trained models that belong together, listed with their hashes in a manifest; and detectors.

Several artefacts live side by side. What defines a bitstream are the integer tables, so their SHA-256 names the
artefact; its first octet is the tag in a `.ptl` header, its first octets travel in a stream's identity.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pantel_models.errors import ManifestError, UnknownModelError

__all__ = ["MANIFEST", "Artefact", "find_artefact", "find_detector", "list_artefacts", "list_detectors"]

MANIFEST = Path(__file__).parent / "artefacts" / "manifest.json"
"""The list of all models that are installed with Pantel."""


@dataclass(frozen=True, slots=True, eq=False)
class Artefact:
    """One set of models over one bitstream, or a detector.

    Attributes:
        name: Its name, for people.
        hash: SHA-256 of the tables, hexadecimal; of a detector that of its only file.
        folder: Where its files lie.
        sha256: Hash of each file by role: `tables`, `encoder`, `faithful`, `thumbnail_encoder`,
            `thumbnail_generator`, and `perceptual`, `perceptual_enlarger` and `thumbnail_perceptual` if it has that
            view; `enlarger` if it has one. Of a detector: `detector`.
        files: Name of each file by role.
    """

    name: str
    hash: str
    folder: Path
    files: Mapping[str, str]
    sha256: Mapping[str, str]

    @property
    def tag(self) -> int:
        """First octet of the hash."""
        return int(self.hash[:2], 16)

    def read(self, role: str) -> bytes:
        """Return the content of a file after checking its hash.

        Raises:
            ManifestError: There is no such role, or its file is missing or differs from the manifest.
        """
        if role not in self.files:
            raise ManifestError(f"model {self.name} has no file for {role!r}, only for {', '.join(self.files)}")
        path = self.folder / self.files[role]
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ManifestError(f"model file {path} cannot be read ({error.strerror}); install pantel again") from error
        if hashlib.sha256(data).hexdigest() != self.sha256[role]:
            raise ManifestError(f"model file {path} differs from the manifest; install pantel again")
        return data

    def path(self, role: str) -> Path:
        """Return where a file lies, after checking its hash.

        Raises:
            ManifestError: As `read`.
        """
        self.read(role)
        return self.folder / self.files[role]

    def check(self) -> None:
        """Check every file, before work begins that would need it only later.

        Raises:
            ManifestError: A file is missing or differs from the manifest.
        """
        for role in self.files:
            self.read(role)


def list_artefacts(manifest: Path = MANIFEST) -> tuple[Artefact, ...]:
    """Return all artefacts of a manifest, the default one first.

    Raises:
        ManifestError: The manifest is missing or damaged.
    """
    artefacts = _read_manifest(manifest, "artefacts", "tables")
    if not artefacts:
        raise ManifestError(f"the model manifest {manifest} names no model; install pantel again")
    return artefacts


def list_detectors(manifest: Path = MANIFEST) -> tuple[Artefact, ...]:
    """Return all detectors of a manifest, the default one first; there may be none.

    Raises:
        ManifestError: The manifest is missing or damaged.
    """
    return _read_manifest(manifest, "detectors", "detector")


@cache
def _read_manifest(manifest: Path, kind: str, first_role: str) -> tuple[Artefact, ...]:
    try:
        content = json.loads(manifest.read_text())
        entries = content["artefacts"] if kind == "artefacts" else content.get(kind, [])
        return tuple(_artefact(entry, manifest.parent, first_role) for entry in entries)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ManifestError(f"the model manifest {manifest} cannot be read; install pantel again") from error


def _artefact(entry: Any, folder: Path, first_role: str) -> Artefact:
    """Build an artefact from its manifest entry; of a broken entry, raises what reading it happens to raise."""
    files = {str(role): file for role, file in entry["files"].items()}
    if len(bytes.fromhex(files[first_role]["sha256"])) != hashlib.sha256().digest_size:
        raise ValueError(f"the {first_role} has no SHA-256")
    return Artefact(
        name=entry["name"],
        hash=files[first_role]["sha256"],
        folder=folder / entry["name"],
        files={role: str(Path(file["name"])) for role, file in files.items()},
        sha256={role: file["sha256"] for role, file in files.items()},
    )


def find_artefact(
    *, name: str | None = None, tag: int | None = None, hash_prefix: str | None = None, manifest: Path = MANIFEST
) -> Artefact:
    """Return the artefact of that name, tag or hash; the default one when nothing is asked for.

    Raises:
        UnknownModelError: There is none.
        ManifestError: The manifest is missing or damaged.
    """
    artefacts = list_artefacts(manifest)
    for artefact in artefacts:
        if (
            (name is None or artefact.name == name)
            and (tag is None or artefact.tag == tag)
            and (hash_prefix is None or artefact.hash.startswith(hash_prefix))
        ):
            return artefact
    known = ", ".join(f"{a.name} ({a.hash[:8]})" for a in artefacts)
    asked = name or (f"tag {tag:#04x}" if tag is not None else f"hash {hash_prefix}")
    raise UnknownModelError(f"no model {asked} is installed, only {known}; install the pantel version that made it")


def find_detector(name: str | None = None, manifest: Path = MANIFEST) -> Artefact:
    """Return the detector of that name; the default one when none is asked for.

    Raises:
        ManifestError: There is none.
    """
    detectors = list_detectors(manifest)
    for detector in detectors:
        if name is None or detector.name == name:
            return detector
    known = ", ".join(each.name for each in detectors) or "none"
    raise ManifestError(f"no detector {name or ''} is installed, only {known}; install pantel again")
