"""Files made by code: pictures, videos, sounds, 3D models, archives. Pure: the same arguments give the same bytes."""
