"""What the model card says of a mender."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pantel_export.model_card import with_section

__all__ = ["with_mender"]

_HEADING = "## Mender of composed pictures\n"
_TEXT = """
**What it is.** `mender.onnx`: the last step of the perceptual view. It takes a composed picture, background and
sprites, and how much of each pixel is a sprite, and returns what is added to the picture.

**Material.** {pictures} pictures of {side_px} px, composed of photographs of `{folders}`: what the painters above make
of backgrounds that were coded in parts, at the scales and qualities of senders, and of objects that were cut out of the
same photographs and laid where they were. What was behind an object was painted over by what is around it. No clip was
trained on.

**Loss.** {l1_weight} x mean absolute error + {lpips_weight} x LPIPS (SqueezeNet, pictures shifted at random)
+ {contour_weight} x squared error on contours + {ms_ssim_weight} x (1 - MS-SSIM)
+ {pattern_weight} x the power of what the errors of neighbouring squares of 8 pixels have in common{detecting}.
No discriminator.

**Settings.** {step} steps of {batch} crops of {crop_px} px, seed {seed}. What it adds is shipped {strength} times
as strong as it was trained, for objects were recognized better so.

**Results.** `docs/decisions/0033-composed-view.md` has the figures of three clips.

**Limits.** It sharpens and adds texture that fits: it knows no more of a scene than the picture before. LPIPS was part
of the loss, so judge it by other measures, too. It serves live pictures, not stills.
"""


def with_mender(card: str, record: Mapping[str, Any] | None) -> str:
    """Return a card with the section about the mender in place of the one it has; without one if there is none.

    Args:
        card: The card.
        record: Of the mender's training.
    """
    if not record:
        return with_section(card, _HEADING, "")
    composed, settings = record["composed"], record["settings"]
    names = " and ".join(record.get("detectors", ()))
    detecting = f"\n+ {settings['detector_weight']} x what {names} no longer recognizes" if names else ""
    text = _TEXT.format(
        pictures=sum(each["pictures"] for each in composed),
        side_px=composed[0]["side_px"],
        folders="`, `".join(sorted({folder for each in composed for folder in each["folders"]})),
        detecting=detecting,
        strength=record["strength"],
        step=record["step"],
        **settings,
    )
    return with_section(card, _HEADING, text)
