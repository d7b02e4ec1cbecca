import django.contrib.postgres.indexes
from django.contrib.postgres.operations import AddIndexConcurrently, BtreeGinExtension, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """While it runs, texts are indexed and searched as ever. A big index takes its time: minutes for ten million."""

    atomic = False

    dependencies = [("conversations", "0015_blocking")]

    operations = [
        BtreeGinExtension(),
        migrations.RunSQL("SET statement_timeout = 0", "SET statement_timeout = 0"),
        # a try that was interrupted leaves half an index behind
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS search_by_day", migrations.RunSQL.noop),
        AddIndexConcurrently(
            model_name="searchentry",
            index=django.contrib.postgres.indexes.GinIndex(
                models.F("document"),
                models.Func(
                    models.F("posted_at"),
                    output_field=models.DateField(),
                    template="((%(expressions)s AT TIME ZONE 'UTC')::date)",
                ),
                name="search_by_day",
            ),
        ),
        RemoveIndexConcurrently(model_name="searchentry", name="search_document"),
        migrations.RunSQL("RESET statement_timeout", "RESET statement_timeout"),
    ]
