"""Artefacts: trained models that belong together, listed with their hashes in a manifest.

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

from pantel_models.errors import ManifestError

__all__ = ["MANIFEST", "Artefact", "find_artefact", "list_artefacts"]

MANIFEST = Path(__file__).parent / "artefacts" / "manifest.json"


@dataclass(frozen=True, slots=True, eq=False)
class Artefact:
    """One set of models over one bitstream.

    Attributes:
        name: Its name, for people.
        hash: SHA-256 of the tables, hexadecimal.
        folder: Where its files lie.
        sha256: Hash of each file by role: `tables`, `encoder`, `faithful`.
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
            ManifestError: The file is missing or differs from the manifest.
        """
        path = self.folder / self.files[role]
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ManifestError(f"model file {path} cannot be read ({error.strerror}); install pantel again") from error
        if hashlib.sha256(data).hexdigest() != self.sha256[role]:
            raise ManifestError(f"model file {path} differs from the manifest; install pantel again")
        return data


@cache
def list_artefacts(manifest: Path = MANIFEST) -> tuple[Artefact, ...]:
    """Return all artefacts of a manifest, the default one first.

    Raises:
        ManifestError: The manifest is missing or damaged.
    """
    try:
        entries = json.loads(manifest.read_text())["artefacts"]
        return tuple(
            Artefact(
                name=entry["name"],
                hash=entry["files"]["tables"]["sha256"],
                folder=manifest.parent / entry["name"],
                files={role: file["name"] for role, file in entry["files"].items()},
                sha256={role: file["sha256"] for role, file in entry["files"].items()},
            )
            for entry in entries
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ManifestError(f"the model manifest {manifest} cannot be read; install pantel again") from error


def find_artefact(
    *, name: str | None = None, tag: int | None = None, hash_prefix: str | None = None, manifest: Path = MANIFEST
) -> Artefact:
    """Return the artefact of that name, tag or hash; the default one when nothing is asked for.

    Raises:
        ManifestError: There is none.
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
    raise ManifestError(f"no model {asked} is installed, only {known}; install the pantel version that made it")
