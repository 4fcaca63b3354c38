"""The command `faldeck`, also as `python -m faldeck`."""

from __future__ import annotations

try:
    from .cli import main
except ModuleNotFoundError as missing:
    raise SystemExit(f'{missing.name} is missing: pip install "faldeck[cli] @ URL"') from missing

if __name__ == "__main__":
    main()
