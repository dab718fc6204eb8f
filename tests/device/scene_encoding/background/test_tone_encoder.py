"""The tone encoder: a change of light is told once, again for late joiners, and otherwise there is silence."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_codec import Scene, ToneElement, apply_element
from pantel_device.frame import Observation
from pantel_device.rendering.exposure import Octaves, exposed, exposure_between
from pantel_device.scene_encoding.audience import Audience
from pantel_device.scene_encoding.background.tone_encoder import ToneEncoder
from pantel_device.scene_encoding.news import News

_S = 1_000_000_000
_DIMMED: Octaves = (-0.5, -0.4, -0.3)
_Observe = Callable[..., Observation]


def _dimmed(street: NDArray[np.uint8], observe: _Observe, now_ns: int, octaves: Octaves = _DIMMED) -> Observation:
    frame = exposed(street, octaves)
    return observe(frame, street, now_ns, exposure=exposure_between(frame, street))


def _tell(encoder: ToneEncoder, observation: Observation, stamp_ns: int) -> News:
    news = encoder.news(observation, stamp_ns)
    assert news is not None
    encoder.sent(news, stamp_ns)
    return news


def test_steady_light_is_not_worth_a_word(street: NDArray[np.uint8], observe: _Observe) -> None:
    encoder = ToneEncoder(Audience(0.05, 120.0))
    for second in range(5):
        assert encoder.news(observe(street, street, second * _S), second * _S) is None


def test_a_dimmed_scene_is_told_once(street: NDArray[np.uint8], observe: _Observe) -> None:
    encoder = ToneEncoder(Audience(0.0, 120.0))
    told = _tell(encoder, _dimmed(street, observe, 5 * _S), 5 * _S + _S // 4)
    assert told.kind == "tone"
    assert told.worth > 0
    assert encoder.shown(6 * _S) == pytest.approx(_DIMMED, abs=1 / 32)
    for second in range(6, 12):
        assert encoder.news(_dimmed(street, observe, second * _S), second * _S) is None


def test_the_receiver_then_shows_the_background_as_the_frame_is(street: NDArray[np.uint8], observe: _Observe) -> None:
    stamp_ns = 5 * _S + _S // 4
    observation = _dimmed(street, observe, 5 * _S)
    (element,) = _tell(ToneEncoder(Audience(0.0, 120.0)), observation, stamp_ns).elements
    assert isinstance(element, ToneElement)
    scene = Scene(160, 112, (1,))
    apply_element(scene, element, stamp_ns)
    shown = exposed(street, scene.tone.at(5 * _S))
    assert np.abs(shown.astype(int) - observation.frame.pixels).mean() < 2
    # It counts from the frame on, within a step of its age, and not from the packet's time.
    assert abs(scene.tone.tones[-1].time_ns - 5 * _S) <= _S // 10


def test_the_old_light_is_told_when_it_returns(street: NDArray[np.uint8], observe: _Observe) -> None:
    encoder = ToneEncoder(Audience(0.0, 120.0))
    _tell(encoder, _dimmed(street, observe, 5 * _S), 5 * _S)
    _tell(encoder, observe(street, street, 20 * _S), 20 * _S)
    assert encoder.shown(21 * _S) == (0.0, 0.0, 0.0)


def test_who_joined_since_is_told_again(street: NDArray[np.uint8], observe: _Observe) -> None:
    encoder = ToneEncoder(Audience(0.1, 120.0))
    first = _tell(encoder, _dimmed(street, observe, 5 * _S), 5 * _S)
    soon = encoder.news(_dimmed(street, observe, 6 * _S), 6 * _S)
    late = encoder.news(_dimmed(street, observe, 30 * _S), 30 * _S)
    assert soon is None or soon.worth < 0.05 * first.worth
    assert late is not None
    assert soon is None or late.worth > 5 * soon.worth


def test_a_stronger_change_is_worth_more(street: NDArray[np.uint8], observe: _Observe) -> None:
    weak = ToneEncoder(Audience(0.05, 120.0)).news(_dimmed(street, observe, _S, (-0.1, -0.1, -0.1)), _S)
    strong = ToneEncoder(Audience(0.05, 120.0)).news(_dimmed(street, observe, _S, (-0.6, -0.6, -0.6)), _S)
    assert weak is not None
    assert strong is not None
    assert strong.worth > 5 * weak.worth


def test_a_frame_too_old_to_be_dated_is_not_told(street: NDArray[np.uint8], observe: _Observe) -> None:
    assert ToneEncoder(Audience(0.0, 120.0)).news(_dimmed(street, observe, _S), 3 * _S) is None
