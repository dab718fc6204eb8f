"""Golden bytes hold for both range coders."""

from functools import partial
from importlib.util import find_spec

import pytest

from pantel_codec.range_coder import Backend, make_decoder, make_encoder

needs_constriction = pytest.mark.skipif(find_spec("constriction") is None, reason="constriction is not installed")


@pytest.fixture(autouse=True, params=["python", pytest.param("constriction", marks=needs_constriction)])
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Backend:
    """Run each test with each range coder."""
    chosen: Backend = request.param
    for module in ("syntax", "still"):
        monkeypatch.setattr(f"pantel_codec.{module}.make_encoder", partial(make_encoder, chosen))
        monkeypatch.setattr(f"pantel_codec.{module}.make_decoder", partial(make_decoder, backend=chosen))
    return chosen
