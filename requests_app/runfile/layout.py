"""Names and version of the format."""

from __future__ import annotations

FORMAT = "faldeck-run"
VERSION = 1

RUN = "run.json"  # the last file: it has the digests of all others
VIEWER = "index.html"
INPUT = "input.json"
SCHEMA = "schema.json"
OBSERVATIONS = "observations.jsonl"
DELIVERIES = "deliveries.jsonl"
FRAMES = "frames.jsonl"
LOGS = "logs.jsonl"
TABLES = (OBSERVATIONS, DELIVERIES, FRAMES, LOGS)


def output_name(ending: str) -> str:
    """Return the name of the file with the output's bytes."""
    return f"output.{ending}"


def body_name(number: int) -> str:
    """Return the name of the file with a delivery's body, numbered from 1."""
    return f"deliveries/{number:04}.body"


def media_name(number: int, ending: str) -> str:
    """Return the name of a fetched file, numbered from 1 in the order of the addresses."""
    return f"media/{number:03}.{ending}"
