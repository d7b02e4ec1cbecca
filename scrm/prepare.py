"""Bring the database up to date before anything uses it: `python -m scrm.prepare`.

Applies the migrations, and loads the demo brand into an installation that no
one has signed up to yet. Running it again changes nothing.
"""

import os

import django
from django.contrib.auth import get_user_model
from django.core.management import call_command


def prepare() -> None:
    """Migrate; load the demo where there is no user at all (so a deleted demo stays deleted)."""
    print("Bringing the database up to date ...", flush=True)
    call_command("migrate", interactive=False, verbosity=0)
    if not get_user_model().objects.exists():
        print("Loading the demo brand ...", flush=True)
        call_command("demo", verbosity=0)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "scrm.settings")
    django.setup()
    prepare()
