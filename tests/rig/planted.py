"""`python -m tests.rig.planted COMMAND…`: one of our commands with the bug that RIG_PLANT names.

COMMAND is `manage.py …` or `celery …`, as an operator would type it.
"""

from __future__ import annotations

import os
import sys

import django


def main() -> None:
    """Plant the bug, then go on as the command would."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "dashboard.settings"
    django.setup()
    from tests.rig import gateway_plants, plants

    (plants.PLANTS | gateway_plants.PLANTS)[os.environ["RIG_PLANT"]].apply()
    sys.argv = sys.argv[1:]
    if sys.argv[0] == "celery":
        from celery.__main__ import main as run

        run()
    else:
        from django.core.management import execute_from_command_line

        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
