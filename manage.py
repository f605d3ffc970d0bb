#!/usr/bin/env python3
"""Run a management command; embedded engines start for it when none run and none are configured."""

import os
import sys

from config.processes import die_with_parent

WITHOUT_ENGINES = {
    "collectstatic",
    "compilemessages",
    "forecast_files",
    "makemessages",
    "help",
    "version",
}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if os.environ.get("STOCKCAST_STOP_WITH_PARENT") == "1":
        die_with_parent()
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    if command not in WITHOUT_ENGINES and "--help" not in sys.argv:
        from config import embedded

        embedded.export_urls()
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
