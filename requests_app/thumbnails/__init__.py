"""Thumbnails: small pictures of what requests made, so that a list need not load the large ones.

`states` says what is wanted, made or failed; `fetching` and `sources` get a picture's bytes, `picture`
makes it small, `files` keeps it. The worker does all of it in `worker/thumbnails.py`.
"""

from __future__ import annotations
