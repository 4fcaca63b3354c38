"""The gallery: what requests have made, as a grid of tiles instead of a table of rows.

::

    tiles.py      the tiles of some requests, and how many requests fill a page
    media_zip.py  their files as a zip
"""
