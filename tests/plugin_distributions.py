"""Distributions with plug-ins in them, as pip leaves them in a folder: metadata and a module."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

__all__ = ["install_plugin"]


def install_plugin(
    folder: Path, distribution: str, points: Mapping[str, str], source: str, *, version: str = "1.0"
) -> None:
    """Put a distribution of one module into a folder of `sys.path`.

    Args:
        folder: Where to.
        distribution: Its name, which is also that of the module, with underscores.
        points: Group and name, such as ``ports carrier``, and what in the module is meant.
        source: Of the module.
        version: Of the distribution.
    """
    module = distribution.replace("-", "_")
    (folder / f"{module}.py").write_text(source)
    info = folder / f"{module}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
    lines = []
    for key, value in points.items():
        group, name = key.split()
        lines += [f"[pantel.{group}]", f"{name} = {module}:{value}", ""]
    (info / "entry_points.txt").write_text("\n".join(lines))
