"""Pages that are served."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.device.web.attack import LIMITS, exposed
from tests.device.web.serving import TOKEN, Site, serving


@pytest.fixture(autouse=True)
def _no_thread_stays() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    left = [thread for thread in set(threading.enumerate()) - before if not thread.name.startswith("AnyIO")]
    assert not left


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A page for everybody on this machine."""
    with serving(tmp_path) as served:
        yield served


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Site]:
    """A page that asks for the token."""
    with serving(tmp_path, token=TOKEN) as served:
        yield served


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A page without a token, with a still, and with a secret beside; one for all attacks."""
    folder = tmp_path_factory.mktemp("target")
    with exposed(folder) as site:
        yield site


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Site]:
    """A page with a token and tight limits."""
    with serving(tmp_path, token=TOKEN, limits=LIMITS) as site:
        yield site
