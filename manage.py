#!/usr/bin/env python
"""Django's command line for this project; it finds or starts the embedded services when it needs them."""

import os
import sys

from django.core.management import execute_from_command_line

from scrm.embedded.places import ServiceError


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "scrm.settings")
    try:
        execute_from_command_line(sys.argv)
    except ServiceError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
