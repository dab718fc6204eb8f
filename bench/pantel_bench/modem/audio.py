"""An audio cable between two modem programs: the real samples of one reach the other, and noise if we add some.

It takes the place of two sound cards and what is between them, and it is the line's clock: as much time has passed as
samples have. A sound card that gets no samples in time plays a gap, which breaks a packet; here time stands still
until they come. So a busy machine makes a run longer, and changes little of what the line does.
"""

from __future__ import annotations

import math
import os
import time

import numpy as np
from numpy.typing import NDArray

__all__ = ["SAMPLES_HZ", "AudioCable"]

SAMPLES_HZ = 48_000
_OCTETS_PER_SAMPLE = 2
_PATIENCE_S = 0.1
_MEASURED_SAMPLES = 240
_FULL_SCALE = 32767


class AudioCable:
    """Carries samples (16 bits, mono, 48 kHz) from one descriptor to another, whenever it is told that time passes.

    Args:
        source: Where the transmitting modem writes; becomes non-blocking.
        sink: Where the hearing modem reads; becomes non-blocking.
        carrier: Whether the transmitter never stops. Of another one silence is heard when it has given nothing for
            0.1 s of real time.
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
        self._waiting = b""  # for the hearing modem
        self._samples = 0
        self._spoke_s = -math.inf
        os.set_blocking(source, False)
        os.set_blocking(sink, False)

    @property
    def time_ns(self) -> int:
        """How much time has passed on the line."""
        return self._samples * 1_000_000_000 // SAMPLES_HZ

    def pass_time(self, most_s: float) -> None:
        """Let time pass, less than asked for if one of the modems is busy.

        Raises:
            BrokenPipeError: Nobody hears any more.
        """
        if not self._flush():
            return
        wanted = int(most_s * SAMPLES_HZ)
        samples = self._take(wanted)
        now_s = time.monotonic()
        if samples.size:
            self._spoke_s = now_s
        elif self._carrier or now_s - self._spoke_s < _PATIENCE_S:
            return
        else:
            samples = np.zeros(wanted, np.int16)
        self._samples += samples.size
        self._waiting = self._noisy(samples).tobytes()
        self._flush()

    def _flush(self) -> bool:
        """Hand on what waits; return whether all of it has gone."""
        while self._waiting:
            try:
                self._waiting = self._waiting[os.write(self._sink, self._waiting) :]
            except BlockingIOError:
                return False
        return True

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
