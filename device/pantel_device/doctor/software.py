"""Python and the libraries. Nothing here needs any of them."""

from __future__ import annotations

import platform
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from pantel_device.doctor.finding import Finding, note, ok, problem
from pantel_device.doctor.machine import TIMED_OUT, Done, Machine

__all__ = ["check_libraries", "check_python"]

_LIBRARIES = {"numpy": "numpy", "opencv": "cv2", "onnxruntime": "onnxruntime", "av": "av", "pydantic": "pydantic"}
_IMPORT_TIMEOUT_S = 6.0
_ARCHITECTURES = ("x86_64", "aarch64")


def check_python(machine: Machine) -> Iterator[Finding]:
    """Look at Python, the processor and Pantel itself."""
    bits, architecture = 8 * struct.calcsize("P"), platform.machine()
    found = f"{platform.python_version()}, {bits} bit, {architecture}"
    if bits < 64:
        yield problem("python", found, "install the 64-bit version of the operating system: numpy has no other wheels")
    elif architecture not in _ARCHITECTURES:
        yield note("python", f"{found}: Pantel is tested on {' and '.join(_ARCHITECTURES)} alone")
    else:
        yield ok("python", found)
    try:
        found = version("pantel")
    except PackageNotFoundError:
        yield problem("pantel", "it runs, but is not installed", "install it: pip install . in its folder")
    else:
        yield ok("pantel", f"{found} on {board}" if (board := machine.board) else found)


def check_libraries(machine: Machine) -> Iterator[Finding]:
    """Import the libraries, each in a process of its own: one that was made for another processor ends its process."""

    def load(module: str) -> Done:
        return machine.python("-c", f"import {module}; print({module}.__version__)", timeout_s=_IMPORT_TIMEOUT_S)

    with ThreadPoolExecutor(len(_LIBRARIES)) as pool:
        done = dict(zip(_LIBRARIES, pool.map(load, _LIBRARIES.values()), strict=True))
    slow = [name for name, each in done.items() if each.code == TIMED_OUT]
    for name, each in done.items():
        if each.code not in {0, TIMED_OUT}:
            advice = "install Pantel again; on a Raspberry Pi the 64-bit system"
            yield problem(name, f"cannot be used: {_failure(each)}", advice)
    if slow:
        yield note("libraries", f"the imports of {', '.join(slow)} took more than {_IMPORT_TIMEOUT_S:.0f} s")
    versions = [f"{name} {each.output.strip()}" for name, each in done.items() if each.code == 0]
    if versions:
        yield ok("libraries", ", ".join(versions))
    if find_spec("constriction") is not None:
        yield ok("range coder", "constriction")
    else:
        why = "it has no wheels for ARM" if platform.machine() == "aarch64" else "constriction is not installed"
        yield note("range coder", f"pure Python, which writes the same octets: {why}")


def _failure(done: Done) -> str:
    """Return why a library could not be imported."""
    if done.code < 0:
        return f"its import crashed (signal {-done.code}); it was made for another processor"
    lines = done.errors.strip().splitlines()
    return lines[-1] if lines else f"exit code {done.code}"
