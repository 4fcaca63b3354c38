"""Sounds: WAV, 16 bit, one channel."""

from __future__ import annotations

import array
import hashlib
import io
import math
import sys
import wave

RATE = 16_000  # samples a second
SYLLABLE_S = 0.16
MAX_SECONDS = 30.0


def speech(text: str, voice: str = "", speed: float = 1.0) -> tuple[bytes, float]:
    """A murmur with a tone for each word: the file and its seconds. The voice decides the pitch."""
    base = 110 * 2 ** (hashlib.sha256(voice.encode()).digest()[0] / 255 * 1.3)
    step = SYLLABLE_S / min(max(speed, 0.25), 4)
    tones = [
        (base * 2 ** (hashlib.sha256(word.encode()).digest()[0] / 1024), step * (1 + len(word) / 6))
        for word in (text.split() or ["hm"])
    ]
    samples = array.array("h")
    for frequency, seconds in tones:
        if len(samples) / RATE > MAX_SECONDS:
            break
        samples.extend(_tone(frequency, seconds))
        samples.extend([0] * round(RATE * step / 3))
    return wav(samples), len(samples) / RATE


def wav(samples: array.array[int]) -> bytes:
    if sys.byteorder == "big":
        samples.byteswap()
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())
    return data.getvalue()


def _tone(frequency: float, seconds: float) -> list[int]:
    """Swells and fades, with two overtones."""
    count = min(round(seconds * RATE), RATE * 2)
    turn = 2 * math.pi * frequency / RATE
    return [
        round(
            7000
            * math.sin(math.pi * n / count)
            * (math.sin(turn * n) + 0.4 * math.sin(2 * turn * n) + 0.2 * math.sin(3 * turn * n))
        )
        for n in range(count)
    ]
