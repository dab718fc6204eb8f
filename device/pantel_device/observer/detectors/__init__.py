"""Detectors that the user brings as ONNX files: which layout a file has, and what its answer means."""

from pantel_device.observer.detectors.onnx_detector import OnnxDetector
from pantel_device.observer.detectors.recognition import recognize

__all__ = ["OnnxDetector", "recognize"]
