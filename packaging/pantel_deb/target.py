"""What a package is built for: a release of Debian, which has one version of Python, and an architecture."""

from __future__ import annotations

from dataclasses import dataclass

from packaging.markers import default_environment

from pantel_deb.errors import DebError

__all__ = ["Target"]

# Debian 12 with glibc 2.36, Debian 13 with glibc 2.41; Raspberry Pi OS follows both.
_RELEASES = {"3.11": (12, 36), "3.13": (13, 41)}
_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
_OLDEST_GLIBC = 17


@dataclass(frozen=True, slots=True)
class Target:
    """A release and an architecture.

    Attributes:
        python: Version of the release's Python, such as 3.11.
        architecture: Debian's name for it, such as arm64.
    """

    python: str
    architecture: str

    def __post_init__(self) -> None:
        if self.python not in _RELEASES:
            raise DebError(f"Python {self.python}: set DEB_PYTHON to 3.11 for Debian 12 or to 3.13 for Debian 13")
        if self.architecture not in _MACHINES:
            raise DebError(f"{self.architecture}: set DEB_ARCH to amd64 or arm64; the libraries are for 64 bits alone")

    @property
    def suffix(self) -> str:
        """What tells packages of one version for several releases apart, and lets a newer release win."""
        return f"deb{_RELEASES[self.python][0]}"

    @property
    def python_depends(self) -> str:
        """The one version of Python that compiled modules fit."""
        major, minor = self.python.split(".")
        return f"python3 (>= {self.python}), python3 (<< {major}.{int(minor) + 1})"

    @property
    def pip_options(self) -> list[str]:
        """What makes pip choose the wheels of this target instead of those of the machine that builds."""
        machine = _MACHINES[self.architecture]
        newest = _RELEASES[self.python][1]
        platforms = [f"manylinux_2_{minor}_{machine}" for minor in range(newest, _OLDEST_GLIBC - 1, -1)]
        options = ["--only-binary=:all:", "--implementation=cp", f"--python-version={self.python}"]
        options += [f"--platform={platform}" for platform in (*platforms, f"manylinux2014_{machine}", "any")]
        return options + [f"--abi={abi}" for abi in (f"cp{self.python.replace('.', '')}", "abi3", "none")]

    @property
    def markers(self) -> dict[str, str]:
        """The environment that markers of requirements see there."""
        return {name: str(value) for name, value in default_environment().items()} | {
            "implementation_name": "cpython",
            "os_name": "posix",
            "platform_machine": _MACHINES[self.architecture],
            "platform_python_implementation": "CPython",
            "platform_system": "Linux",
            "python_full_version": f"{self.python}.0",
            "python_version": self.python,
            "sys_platform": "linux",
        }
