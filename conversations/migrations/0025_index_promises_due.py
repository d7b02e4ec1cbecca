from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Concurrently: promises are made while it runs."""

    atomic = False

    dependencies = [("conversations", "0024_threads_given_to_teams")]

    operations = [
        migrations.RunSQL("SET statement_timeout = 0", "SET statement_timeout = 0"),
        # a try that was interrupted leaves half an index behind
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS promise_due", migrations.RunSQL.noop),
        AddIndexConcurrently(
            model_name="promise",
            index=models.Index(fields=["due_at"], include=("state", "settled_at", "thread"), name="promise_due"),
        ),
        migrations.RunSQL("RESET statement_timeout", "RESET statement_timeout"),
    ]
