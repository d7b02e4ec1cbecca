from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Concurrently: threads are written while it runs."""

    atomic = False

    dependencies = [("conversations", "0017_reach_of_today")]

    operations = [
        migrations.RunSQL("SET statement_timeout = 0", "SET statement_timeout = 0"),
        # a try that was interrupted leaves half an index behind
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS thread_of_reach", migrations.RunSQL.noop),
        AddIndexConcurrently(
            model_name="thread",
            index=models.Index(fields=["brand", "reach_step"], name="thread_of_reach"),
        ),
        migrations.RunSQL("RESET statement_timeout", "RESET statement_timeout"),
    ]
