"""Inputs that work at once in the sandbox, for a first visit."""

from __future__ import annotations

from requests_app.models import Mode

# endpoint id -> mode, input
SANDBOX: dict[str, tuple[str, str]] = {
    "sandbox/image": (
        Mode.QUEUE,
        '{\n  "prompt": "a lighthouse at dusk, long exposure",\n  "seed": 7\n}',
    ),
    "sandbox/slow": (Mode.QUEUE, '{\n  "steps": 8,\n  "seconds_per_step": 1\n}'),
    "sandbox/text": (
        Mode.STREAM,
        '{\n  "prompt": "tell me about lighthouses",\n  "words": 60,\n  "delay_s": 0.1\n}',
    ),
    "sandbox/echo": (Mode.RUN, '{\n  "message": "hello",\n  "number": 21\n}'),
    "sandbox/strict": (Mode.QUEUE, '{\n  "prompt": "forbidden fruit",\n  "num_images": 2\n}'),
    "sandbox/crash": (Mode.QUEUE, "{}"),
    "sandbox/patient": (Mode.QUEUE, '{\n  "seconds": 60\n}'),
    "sandbox/large": (Mode.QUEUE, '{\n  "kilobytes": 400\n}'),
}
