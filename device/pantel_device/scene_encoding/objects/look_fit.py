"""Fits drafts of a thumbnail to the picture before one is chosen, by what latents do to a look to first order.

The search of `look_search` asks the generator itself and is for the one look that is sent. To choose among qualities
the others must be nearly as good as they could be, so they take the same step with a linear model, on half the raster:
it serves all qualities and needs no run of the generator.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pantel_device.frame import Box
from pantel_device.scene_encoding.objects.look_search import LookDraft, bit_price, whole_step
from pantel_device.scene_encoding.objects.object_view import ObjectView
from pantel_models.thumbnails import EFFECTS_PX, Look, ThumbnailCodec, halved

__all__ = ["fit_looks"]

Floats = NDArray[np.float32]


def fit_looks(thumbnails: ThumbnailCodec, drafts: Sequence[LookDraft]) -> list[LookDraft]:
    """Return drafts with symbols that fit better, each of the same quality; those that cannot be improved as they are.

    Args:
        thumbnails: How sprites look.
        drafts: The same part of one object, in one place, in several qualities.
    """
    middle = drafts[len(drafts) // 2]
    sent = middle.sent
    effects = thumbnails.effects(middle.shape, middle.class_id)[thumbnails.model.members[middle.shape][sent.part]]
    hessian, gradient = _error_model(middle.look, effects, middle.places)  # in latents
    latents = thumbnails.steps(middle.shape, sent.part, sent.quality) * sent.symbols
    fitted = []
    for draft in drafts:
        steps = thumbnails.steps(draft.shape, sent.part, draft.sent.quality)
        symbols = draft.sent.symbols
        own_hessian = hessian * np.outer(steps, steps)
        own_gradient = steps * (gradient + hessian @ (steps * symbols - latents))
        price = bit_price(own_hessian)
        change = whole_step(own_hessian, own_gradient, price * draft.prices(thumbnails))
        found = draft.with_symbols(thumbnails, (symbols + change)[None])[0]
        fitted.append(found if _cost(thumbnails, found, price) < _cost(thumbnails, draft, price) else draft)
    return fitted


def _cost(thumbnails: ThumbnailCodec, draft: LookDraft, price: float) -> float:
    residual = draft.residual()
    return float(residual @ residual) + price * draft.size_bits(thumbnails)


def _error_model(look: Look, effects: Floats, places: Sequence[tuple[ObjectView, Box]]) -> tuple[Floats, Floats]:
    """Return the halved second derivatives (N, N) and first derivatives (N,) of the mean error by latents.

    Args:
        look: Where the model holds.
        effects: (N, EFFECTS_PX, EFFECTS_PX, 4), as `ThumbnailCodec.effects` gives them.
        places: The frames to judge by, and where the sprite's raster stands in them.
    """
    alpha = look.alpha[..., None]
    weighted, alpha = halved(look.colour * alpha), halved(alpha)
    colour = weighted / np.maximum(alpha, np.float32(1e-3))
    hessian = np.zeros((len(effects),) * 2, np.float32)
    gradient = np.zeros(len(effects), np.float32)
    for view, raster in places:
        frame, background, weight = view.on_raster(raster, (EFFECTS_PX, EFFECTS_PX))
        wrong = (background + weighted - alpha * background - frame) * weight
        change = (effects[..., 3:] * (colour - background) + effects[..., :3] * alpha) * weight
        change = change.reshape(len(effects), -1)
        hessian += change @ change.T / len(places)
        gradient += change @ wrong.ravel() / len(places)
    return hessian, gradient
