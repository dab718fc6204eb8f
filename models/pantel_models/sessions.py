"""The onnxruntime sessions: the only place that runs the networks."""

from __future__ import annotations

import os
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_models.artefact import Artefact
from pantel_models.errors import ManifestError

__all__ = ["AnalysisTransform", "Enlarger", "Generator", "open_session"]


def open_session(model: bytes, description: str) -> Any:
    """Return an onnxruntime session on one CPU thread.

    Raises:
        ManifestError: The bytes are no model that this onnxruntime can run.
    """
    # It would report to its makers over the network, and keep a file of that in the user's cache.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4  # what fails is raised; about the rest a file of the user's would print a page
    options.enable_cpu_mem_arena = False  # pictures of many sizes would let the arena grow for ever
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises a dozen types without a common base
        reason = str(error).partition("\n")[0]
        raise ManifestError(f"{description} cannot be loaded by onnxruntime: {reason}") from error


class AnalysisTransform:
    """The encoder network: pixels and contours to latents."""

    def __init__(self, artefact: Artefact) -> None:
        self._session = open_session(artefact.read("encoder"), f"the encoder of {artefact.name}")

    def __call__(self, pixels: NDArray[np.uint8], contours: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the latents (channels, H/16, W/16) of a picture.

        Args:
            pixels: (H, W, 3) uint8, RGB, sides multiples of 16.
            contours: (H, W) uint8, 0 or 1.
        """
        x = np.empty((1, 4, *contours.shape), np.float32)
        x[0, :3] = pixels.transpose(2, 0, 1)
        x[0, :3] /= 255
        x[0, 3] = contours
        return np.asarray(self._session.run(None, {"x": x})[0][0], np.float32)


class Generator:
    """The generator network: dequantized latents to pixels."""

    def __init__(self, artefact: Artefact, view: str = "faithful") -> None:
        self._session = open_session(artefact.read(view), f"the {view} generator of {artefact.name}")

    def __call__(self, y_hat: NDArray[np.float32], side: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Return the pixels (16h, 16w, 3) uint8 of latents.

        Args:
            y_hat: (channels, h, w), dequantized, zero where nothing was received.
            side: (groups + 1, h, w): 1 where a group was received, last the quality in 0..1.
        """
        x_hat: NDArray[np.float32] = self._session.run(None, {"y_hat": y_hat[None], "side": side[None]})[0][0]
        return np.rint(x_hat.transpose(1, 2, 0) * 255).clip(0, 255).astype(np.uint8)


class Enlarger:
    """Bicubic interpolation to twice the width and height, and what the enlarger network adds to it."""

    def __init__(self, artefact: Artefact, role: str = "enlarger") -> None:
        self._session = open_session(artefact.read(role), f"the {role.replace('_', ' ')} of {artefact.name}")

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return (2H, 2W, 3) uint8 RGB of (H, W, 3)."""
        x_half = pixels.astype(np.float32) / 255
        correction: NDArray[np.float32] = self._session.run(None, {"x_half": x_half.transpose(2, 0, 1)[None]})[0][0]
        smooth = cv2.resize(x_half, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
        x_hat = smooth + correction.transpose(1, 2, 0)
        return np.asarray(np.rint(x_hat * 255).clip(0, 255), np.uint8)
