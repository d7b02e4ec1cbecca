from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("conversations", "0026_mails_of_notices")]

    operations = [
        migrations.AddField(
            model_name="notification",
            name="lease_until",
            field=models.DateTimeField(null=True),
        ),
    ]
