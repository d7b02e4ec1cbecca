from django.db import migrations, models
from django.db.models.functions import Now
from django.utils import timezone


class Migration(migrations.Migration):
    dependencies = [
        ("channels_ingest", "0007_notices_mailed_to"),
    ]

    operations = [
        migrations.AddField(
            model_name="reconcile",
            name="due_at",
            field=models.DateTimeField(db_default=Now(), default=timezone.now),
        ),
        migrations.AddField(
            model_name="reconcile",
            name="tries",
            field=models.PositiveSmallIntegerField(db_default=0, default=0),
        ),
    ]
