"""Pytest plugin for fal's own test-suite: points the client's module constants at the sandbox.

Loaded by `test_fal_client.py` into a pytest process of its own; the tests themselves stay as
fal published them.
"""

from __future__ import annotations

import os

import fal_client.client as client

URL = os.environ["SANDBOX_URL"]

client.RUN_URL_FORMAT = f"{URL}/run/"
client.QUEUE_URL_FORMAT = f"{URL}/queue/"
client.REALTIME_URL_FORMAT = f"{URL.replace('http', 'ws', 1)}/run/"
client.REST_URL = f"{URL}/rest"
client.CDN_URL = f"{URL}/cdn"
