from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_language_of_the_pages")]

    operations = [
        migrations.AlterField(
            model_name="user",
            name="digest",
            field=models.CharField(
                choices=[("off", "never"), ("instant", "at once"), ("daily", "every morning at eight")],
                db_default="off",
                default="off",
                max_length=8,
                verbose_name="mail about what happened",
            ),
        ),
    ]
