"""Command line of the package's build: `python -m pantel_deb`, see `--help`; `make deb` calls it."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path

from packaging.version import Version

from pantel_deb.errors import DebError
from pantel_deb.libraries import lock_of
from pantel_deb.target import Target
from pantel_deb.tree import lay_out

__all__ = ["main"]

_SOURCE = Path(__file__).parents[2]
_LEVEL = "1"  # of xz; its own default takes five times as long for a sixth less


def main(argv: Sequence[str] | None = None) -> int:
    """Build one package; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m pantel_deb", description=__doc__)
    parser.add_argument("--arch", default="amd64", help="amd64 or arm64 (default: %(default)s)")
    parser.add_argument(
        "--python", default=f"{sys.version_info.major}.{sys.version_info.minor}", help="of the release: 3.11 or 3.13"
    )
    parser.add_argument("--out", type=Path, default=_SOURCE / "dist", metavar="DIR", help="default: %(default)s")
    parser.add_argument("--print-lock", action="store_true", help="only tell what of the lock is needed there")
    arguments = parser.parse_args(argv)
    try:
        target = Target(arguments.python, arguments.arch)
        if arguments.print_lock:
            print(lock_of(_SOURCE, target), end="")  # noqa: T201
            return 0
        path = _build(target, arguments.out)
    except DebError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 1
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")  # noqa: T201
    return 0


def _build(target: Target, out: Path) -> Path:
    version = f"{_debian_version()}~{target.suffix}"
    path = out / f"pantel_{version}_{target.architecture}.deb"
    epoch_s = _epoch_s()
    os.environ["SOURCE_DATE_EPOCH"] = str(epoch_s)  # for hatchling and dpkg-deb
    os.environ.setdefault("DPKG_DEB_COMPRESSOR_LEVEL", _LEVEL)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="pantel-deb-") as folder:
        work = Path(folder)
        root = work / "root"
        root.mkdir()
        lay_out(root, _SOURCE, target, version=version, epoch_s=epoch_s, work=work)
        command = ["dpkg-deb", "--root-owner-group", "--build", str(root), str(path)]
        try:
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
        except FileNotFoundError as error:
            raise DebError("dpkg-deb is missing; run: apt-get install dpkg") from error
        except subprocess.CalledProcessError as error:
            raise DebError(f"dpkg-deb failed with exit code {error.returncode}") from error
    return path


def _debian_version() -> str:
    """Return the project's version as Debian orders it: 1.0rc1 is 1.0~rc1, older than 1.0."""
    project = tomllib.loads((_SOURCE / "pyproject.toml").read_text())["project"]
    version = Version(project["version"])
    if version.pre is None:
        return version.base_version
    kind, number = version.pre
    return f"{version.base_version}~{kind}{number}"


def _epoch_s() -> int:
    """Return the time that everything in the package gets: SOURCE_DATE_EPOCH, or that of the newest commit."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given is not None:
        return int(given)
    command = ["git", "log", "-1", "--format=%ct"]
    done = subprocess.run(command, cwd=_SOURCE, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise DebError("there is no Git history here to take a time from: set SOURCE_DATE_EPOCH")
    return int(done.stdout)


if __name__ == "__main__":
    sys.exit(main())
