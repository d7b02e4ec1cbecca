from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("channels_ingest", "0006_pushes_checked"),
    ]

    operations = [
        migrations.AddField(
            model_name="notice",
            name="mailed_to",
            field=ArrayField(base_field=models.BigIntegerField(), db_default=[], default=list, size=None),
        ),
    ]
