"""The sound of a video on the clock of its pictures: one steady run of samples that begins with the first picture."""

import contextlib
import itertools
import os
from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np

from stylemask_demo.media.containers import DAMAGE, decoded, find_film, open_container, shown_at

_SLACK = 0.01  # seconds by which times may be rounded in a container while samples follow each other all the same
_USUAL_RATE = 48_000  # samples a second, where the encoder cannot write the sound's own
_SILENCE = 4096  # samples of a gap at a time

Samples = np.ndarray  # (channels, N) float32 in -1..1


class Sound:
    """The sound of a video as it is written: `rate` samples a second in `layout`, "mono" or "stereo"."""

    def __init__(self, rate: int, layout: str, parts: Iterator[Samples]) -> None:
        self.rate, self.layout, self._parts = rate, layout, parts
        self._rest: Samples = np.zeros((1 if layout == "mono" else 2, 0), np.float32)
        self._given = 0

    def until(self, seconds: Fraction) -> av.AudioFrame | None:
        """What is heard from the end of the last call to a time after the first picture; None where that is nothing."""
        wanted, parts, there = round(seconds * self.rate) - self._given, [self._rest], self._rest.shape[1]
        while there < wanted and (part := next(self._parts, None)) is not None:
            parts.append(part)
            there += part.shape[1]
        heard = np.concatenate(parts, 1)
        samples, self._rest = heard[:, :wanted], heard[:, wanted:]
        if not samples.shape[1]:
            return None
        frame = _frame(samples, self.rate, self.layout)
        frame.pts, frame.time_base = self._given, Fraction(1, self.rate)
        self._given += samples.shape[1]
        return frame


def has_sound(path: str | os.PathLike) -> bool:
    """Whether a file has sound that can be read."""
    try:
        with open_container(path) as container:
            stream = container.streams.best("audio")
            return stream is not None and stream.codec_context is not None
    except DAMAGE:
        return False


def open_sound(path: str | os.PathLike, stack: contextlib.ExitStack, codec: str = "aac") -> Sound | None:
    """The sound of a video file, which stays open as long as `stack`; None where it has none or it cannot be read.

    It has a rate that the `codec` can write.

    Where sound begins later than the pictures, or breaks off in between, there is silence; what comes before the first
    picture, or twice, is left out. Nothing is raised: a silent result is better than none.
    """
    try:
        start = _first_picture(path)
        container = stack.enter_context(open_container(path))
    except DAMAGE:
        return None
    stream = container.streams.best("audio")
    if stream is None or stream.codec_context is None:
        return None
    frames = decoded(container, stream)
    first = next(frames, None)
    if first is None:
        return None
    layout = "mono" if first.layout.nb_channels == 1 else "stereo"
    rate = first.sample_rate if first.sample_rate in (av.Codec(codec, "w").audio_rates or ()) else _USUAL_RATE
    parts = _placed(itertools.chain([first], frames), layout, first.time if start is None else start)
    return Sound(rate, layout, _at_rate(parts, layout, rate))


def _first_picture(path: str | os.PathLike) -> float | None:
    """When the first picture of a file is shown, in seconds of its clock, or None where none is."""
    with open_container(path) as container:
        film = find_film(container)
    if film is None:
        return None
    with open_container(path) as container:
        first = next(decoded(container, container.streams[film.index]), None)
        return None if first is None else shown_at(0, first, film)


def _placed(frames: Iterator[av.AudioFrame], layout: str, start: float | None) -> Iterator[tuple[Samples, int]]:
    """Frames of sound -> samples that follow each other from the time `start` on, and how many a second they are."""
    end, begun = start or 0.0, False
    for frame, samples in _mixed(frames, layout):
        rate = frame.sample_rate
        gap = 0 if frame.time is None else round((frame.time - end) * rate)
        if begun and abs(gap) <= _SLACK * rate:
            gap = 0
        for begin in range(0, gap, _SILENCE):
            yield np.zeros((len(samples), min(_SILENCE, gap - begin)), np.float32), rate
        samples = samples[:, max(-gap, 0) :]
        end += (max(gap, 0) + samples.shape[1]) / rate
        if samples.shape[1]:
            begun = True
            yield samples, rate


def _mixed(frames: Iterator[av.AudioFrame], layout: str) -> Iterator[tuple[av.AudioFrame, Samples]]:
    """Frames of sound with their samples in a layout; a change of format on the way is followed."""
    for _, alike in itertools.groupby(frames, lambda frame: (frame.format.name, frame.layout.name, frame.sample_rate)):
        mixer = av.AudioResampler("s16p", layout)  # whole numbers: of fractions the sum of many channels may go beyond 1
        for frame in alike:
            for made in mixer.resample(frame):
                yield frame, made.to_ndarray().astype(np.float32) / 32768


def _at_rate(parts: Iterator[tuple[Samples, int]], layout: str, rate: int) -> Iterator[Samples]:
    """Samples and how many a second they are -> the same sound in `rate` samples a second."""
    with contextlib.suppress(*DAMAGE):  # what makes no sense as sound ends it
        for own, alike in itertools.groupby(parts, lambda part: part[1]):
            resampler = av.AudioResampler("fltp", layout, rate)
            for frame in itertools.chain((_frame(samples, own, layout) for samples, _ in alike), [None]):
                for made in resampler.resample(frame):
                    if made is not None:  # what comes through unchanged has no end
                        yield made.to_ndarray()


def _frame(samples: Samples, rate: int, layout: str) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), "fltp", layout)
    frame.sample_rate = rate
    return frame
