import django.contrib.postgres.fields
import django.contrib.postgres.indexes
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """The day as an array of one, so that one look into the index asks for many. While it runs, texts are indexed and
    searched as ever. A big index takes its time: minutes for ten million."""

    atomic = False

    dependencies = [("conversations", "0018_index_reach")]

    operations = [
        migrations.RunSQL("SET statement_timeout = 0", "SET statement_timeout = 0"),
        # a try that was interrupted leaves half an index behind
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS search_by_days", migrations.RunSQL.noop),
        AddIndexConcurrently(
            model_name="searchentry",
            index=django.contrib.postgres.indexes.GinIndex(
                models.F("document"),
                models.Func(
                    models.F("posted_at"),
                    output_field=django.contrib.postgres.fields.ArrayField(models.DateField()),
                    template="(ARRAY[(%(expressions)s AT TIME ZONE 'UTC')::date])",
                ),
                name="search_by_days",
            ),
        ),
        RemoveIndexConcurrently(model_name="searchentry", name="search_by_day"),
        migrations.RunSQL("RESET statement_timeout", "RESET statement_timeout"),
    ]
