"""Presets: named inputs with variables.

::

    template.py   an input with {{variables}} in its strings, and how values are put into it. Pure
    fitting.py    which presets a newer document of their endpoint has broken
    saving.py     save, restore, rename, delete: the one writer of presets and their versions
"""
