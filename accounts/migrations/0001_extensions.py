from django.contrib.postgres.operations import TrigramExtension, UnaccentExtension
from django.db import migrations


class Migration(migrations.Migration):
    """Extensions of PostgreSQL that searching needs."""

    initial = True
    operations = [TrigramExtension(), UnaccentExtension()]
