from django.db import migrations

TABLES = ("conversations_interaction", "conversations_delivery", "conversations_thread", "channels_ingest_webhookevent")


class Migration(migrations.Migration):
    """What a new version may do while the old one runs: columns it need not know, an index built beside the writers."""

    initial = True
    atomic = False
    dependencies = [("conversations", "0001_initial"), ("channels_ingest", "0001_initial")]
    operations = [
        *(migrations.RunSQL(f"ALTER TABLE {table} ADD COLUMN motto text NOT NULL DEFAULT ''") for table in TABLES),
        migrations.RunSQL("CREATE INDEX CONCURRENTLY interaction_motto ON conversations_interaction (motto)"),
    ]
