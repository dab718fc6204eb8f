"""Golden bytes of a payload with contours. They change only with the version of the protocol."""

from __future__ import annotations

from collections.abc import Sequence

from tests.golden.scene_capture import plain

from pantel_codec import Element, EntropyModel, SceneSyntax, ThumbnailModel

PAYLOAD = (
    "2751ed43f69d0a4477ac08dd40cd897af1c4416d4499ee474a9c195a1ae6506668c30295f0ed764e15d0ea8412a944710ad4"
    "327f2613c95f3f625dd7802a4305695ec28fa907e803dc9c4fb2"
)


def test_golden_contours_are_written(
    model: EntropyModel, thumbnails: ThumbnailModel, golden_contours: Sequence[Element]
) -> None:
    assert SceneSyntax(model, thumbnails, 320, 240).write(golden_contours).hex() == PAYLOAD


def test_golden_contours_are_read(
    model: EntropyModel, thumbnails: ThumbnailModel, golden_contours: Sequence[Element]
) -> None:
    read = SceneSyntax(model, thumbnails, 320, 240).read(bytes.fromhex(PAYLOAD))
    assert [plain(element) for element in read] == [plain(element) for element in golden_contours]
