"""Wapiti at a real, running Faldeck: what it finds fails, and planted faults prove that it finds."""
