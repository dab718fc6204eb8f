"""Golden bytes of a scene payload with every kind of element. They change only with the version of the protocol."""

from __future__ import annotations

from collections.abc import Sequence

from tests.golden.scene_capture import plain

from pantel_codec import Background, Element, EntropyModel, SceneSyntax, ThumbnailModel

PAYLOAD = (
    "f791084753d4b2a6e6c6ea959fd0dfed72dc3e6c6c4aaa25ee23e834c381ec8154ec868e16d7f4440cf20e7b562726ba0fe6"
    "1fbfcc1631d3c2cb7f4c2bd2cc8e471d33fc29b6aa2276f17251f4578e19b0d497f5d6074ca30b75aa92dea51c4bc6c6305f"
    "88e4875d72a9daebc0eb207e8e9c9351ca1b73228ed15afe59b9b28a70281f865d946293ad2e16f42e6c6f9c7402db31d67d"
    "af2fde595a4bda16c7ea2af2902d5ad5f813003ceb00b0b94c514e292115fcc720ef9b18a8330704fdca0c84c2d5f9f10e6b"
    "740b37b935807829a04c"
)


def test_golden_payload_is_written(
    model: EntropyModel, thumbnails: ThumbnailModel, golden_elements: Sequence[Element]
) -> None:
    assert SceneSyntax(model, thumbnails, 320, 240).write(golden_elements).hex() == PAYLOAD


def test_golden_payload_is_read(
    model: EntropyModel, thumbnails: ThumbnailModel, golden_elements: Sequence[Element], golden_background: Background
) -> None:
    read = SceneSyntax(model, thumbnails, 320, 240).read(bytes.fromhex(PAYLOAD), golden_background)
    assert [plain(element) for element in read] == [plain(element) for element in golden_elements]
