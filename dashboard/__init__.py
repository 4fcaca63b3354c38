"""Wiring: how a process is put together. No word of fal's protocol in here."""

from __future__ import annotations

from dashboard.celery import app as celery_app

__all__ = ["celery_app"]
