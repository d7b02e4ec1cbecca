from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Concurrently: colleagues are told of things while it runs."""

    atomic = False

    dependencies = [("conversations", "0025_index_promises_due")]

    operations = [
        migrations.AddField(
            model_name="notification",
            name="mail_id",
            field=models.UUIDField(null=True),
        ),
        migrations.RunSQL("SET statement_timeout = 0", "SET statement_timeout = 0"),
        # a try that was interrupted leaves half an index behind
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS notification_mailing", migrations.RunSQL.noop),
        AddIndexConcurrently(
            model_name="notification",
            index=models.Index(
                condition=models.Q(("mail_id__isnull", False), ("mailed_at__isnull", True)),
                fields=["mail_id"],
                name="notification_mailing",
            ),
        ),
        migrations.RunSQL("RESET statement_timeout", "RESET statement_timeout"),
    ]
