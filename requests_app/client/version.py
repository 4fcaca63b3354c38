"""The version of the package: that of the installation whose API it speaks."""

from __future__ import annotations

__version__ = "0.1.0"
