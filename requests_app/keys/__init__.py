"""Which fal key a call is made with.

::

    encryption.py  how a key is stored; the keys that encrypt them, and their rotation
    ring.py        all keys in memory: `key_for` a call that begins, `key_of` one that was begun
    keeping.py     add, replace, remove; what was noted of a key's use
    programs.py    keys that programs kept to themselves: which of ours is the same
    check.py       what fal lets a key do, asked with harmless calls
"""

from __future__ import annotations

from requests_app.keys.programs import ProgramKey, row_of_program_key
from requests_app.keys.ring import Key, environment_key, key_for, key_of

__all__ = ["Key", "ProgramKey", "environment_key", "key_for", "key_of", "row_of_program_key"]
