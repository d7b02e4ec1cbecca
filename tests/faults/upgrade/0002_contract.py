from django.db import migrations

TABLES = ("conversations_interaction", "conversations_delivery", "conversations_thread", "channels_ingest_webhookevent")


class Migration(migrations.Migration):
    """What the version after it may do, when nobody uses the columns any more."""

    atomic = False
    dependencies = [("insights", "0001_expand")]
    operations = [migrations.RunSQL(f"ALTER TABLE {table} DROP COLUMN motto") for table in TABLES]
