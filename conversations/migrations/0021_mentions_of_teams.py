from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("conversations", "0020_purpose_of_answers")]

    operations = [
        migrations.AlterField(
            model_name="notification",
            name="kind",
            field=models.CharField(
                choices=[
                    ("mention", "Somebody mentions me in a note"),
                    ("team", "Somebody mentions a team of mine in a note"),
                    ("assigned", "A thread is assigned to me"),
                    ("answered", "A customer writes on my thread"),
                    ("promise", "A promise of mine is overdue"),
                    ("asked", "An answer waits for approval"),
                    ("decided", "My answer was approved or refused"),
                    ("failed", "My answer could not be sent"),
                ],
                max_length=8,
            ),
        ),
        migrations.AddConstraint(
            model_name="notification",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind__in", ("mention", "team"))),
                fields=("user", "interaction"),
                name="notification_mention_once",
            ),
        ),
    ]
