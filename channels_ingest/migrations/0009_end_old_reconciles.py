"""Runs whose workers died long ago are over: from now on what is not finished is begun again."""

from django.db import migrations

END = """
    UPDATE channels_ingest_reconcile SET finished_at = began_at, error = 'It did not come to its end.'
    WHERE finished_at IS NULL AND cause <> 'asked'
"""


class Migration(migrations.Migration):
    dependencies = [("channels_ingest", "0008_reconcile_tries")]
    operations = [migrations.RunSQL(END, migrations.RunSQL.noop)]
