from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("conversations", "0021_mentions_of_teams")]

    operations = [
        migrations.AddField(
            model_name="pushsubscription",
            name="silent_until",
            field=models.DateTimeField(null=True),
        ),
    ]
