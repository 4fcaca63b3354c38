"""Misbehaviour on demand: the one engine of the sandbox's faults and of the gateway's fault lab.

::

    rules      which faults there are, and which rule strikes next
    refusals   answers in place of fal's

It imports nothing of the rest, and no Django: the sandbox is a program of its own.
"""

from __future__ import annotations
