import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("conversations", "0023_verbs_that_happen"),
    ]

    operations = [
        migrations.AddField(
            model_name="notification",
            name="event",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="conversations.threadevent",
            ),
        ),
        migrations.AlterField(
            model_name="notification",
            name="kind",
            field=models.CharField(
                choices=[
                    ("mention", "Somebody mentions me in a note"),
                    ("team", "Somebody mentions a team of mine in a note"),
                    ("assigned", "A thread is assigned to me"),
                    ("given", "A thread is assigned to a team of mine (told in the product alone)"),
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
                condition=models.Q(("event__isnull", False)), fields=("event", "user"), name="notification_event_once"
            ),
        ),
    ]
