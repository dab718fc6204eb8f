"""An audio cable between two modem programs: real samples at their real pace, and noise if we add some.

It takes the place of two sound cards and what is between them. A sound card that gets no samples in time plays a gap;
this cable waits instead, so that a busy machine makes a line late, and breaks no packet.
"""

from __future__ import annotations

import math
import os
import threading
import time
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["SAMPLES_HZ", "AudioCable"]

SAMPLES_HZ = 48_000
_OCTETS_PER_SAMPLE = 2
_POLL_S = 0.010
_MOST_OWED = SAMPLES_HZ // 10
_MEASURED_SAMPLES = 240
_FULL_SCALE = 32767


class AudioCable:
    """Carries samples (16 bits, mono, 48 kHz) from one descriptor to another, from when its context is entered.

    Args:
        source: Where the transmitting modem writes: a pipe, read without blocking.
        sink: Where the hearing modem reads.
        carrier: Whether the transmitter never stops. Then samples that come late are carried faster until they
            have caught up, as with a sound card that had them in time; else the line is silent until they come.
        snr_db: Root mean square of the signal to that of white Gaussian noise, over the whole band of 24 kHz; None
            adds no noise.
        seed: Of the noise.
    """

    def __init__(self, source: int, sink: int, *, carrier: bool, snr_db: float | None = None, seed: int = 0) -> None:
        self._source = source
        self._sink = sink
        self._carrier = carrier
        self._snr_db = snr_db
        self._random = np.random.default_rng(seed)
        self._noise_rms = 0.0
        self._half = b""  # of a sample
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="audio cable", daemon=True)

    def __enter__(self) -> Self:
        os.set_blocking(self._source, False)
        os.set_blocking(self._sink, False)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        owed, before_s = 0.0, time.monotonic()
        while not self._stop.wait(_POLL_S):
            now_s = time.monotonic()
            owed += (now_s - before_s) * SAMPLES_HZ
            before_s = now_s
            samples = self._take(int(owed))
            silent = samples.size < int(owed) and not self._carrier
            owed = 0.0 if silent else min(owed - samples.size, _MOST_OWED)
            if samples.size and not self._give(self._noisy(samples)):
                return

    def _take(self, count: int) -> NDArray[np.int16]:
        """Return at most so many samples, as many as there are."""
        octets = self._half
        wanted = count * _OCTETS_PER_SAMPLE
        while len(octets) < wanted:
            try:
                more = os.read(self._source, wanted - len(octets))
            except BlockingIOError:
                break
            if not more:
                break
            octets += more
        whole = len(octets) // _OCTETS_PER_SAMPLE * _OCTETS_PER_SAMPLE
        self._half = octets[whole:]
        return np.frombuffer(octets[:whole], np.int16)

    def _noisy(self, samples: NDArray[np.int16]) -> NDArray[np.int16]:
        if self._snr_db is None:
            return samples
        tones = samples.astype(np.float64)
        if tones.size >= _MEASURED_SAMPLES:  # the tones are as strong everywhere, but for the phase of few samples
            rms = math.sqrt(float(np.mean(tones**2)))
            self._noise_rms = max(self._noise_rms, rms * 10 ** (-self._snr_db / 20))
        heard = tones + self._random.normal(0.0, self._noise_rms, tones.size)
        return heard.clip(-_FULL_SCALE - 1, _FULL_SCALE).astype(np.int16)

    def _give(self, samples: NDArray[np.int16]) -> bool:
        """Hand samples on, however long it takes; return whether anybody still listens."""
        octets = samples.tobytes()
        while octets and not self._stop.is_set():
            try:
                octets = octets[os.write(self._sink, octets) :]
            except BlockingIOError:
                self._stop.wait(_POLL_S)
            except BrokenPipeError:
                return False
        return not octets
