from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("conversations", "0022_silence_of_push_servers"),
    ]

    operations = [
        migrations.AlterField(
            model_name="threadevent",
            name="verb",
            field=models.CharField(
                choices=[
                    ("assigned", "assigned"),
                    ("unassigned", "unassigned"),
                    ("snoozed", "snoozed"),
                    ("woken", "woken"),
                    ("closed", "closed"),
                    ("reopened", "reopened"),
                    ("tagged", "tagged"),
                    ("untagged", "untagged"),
                    ("waived", "closed without a public word"),
                    ("promised", "made a promise"),
                    ("settled", "settled a promise"),
                    ("hidden", "hid an item on the network"),
                    ("unhidden", "showed an item again"),
                    ("deleted", "deleted an item on the network"),
                    ("spam", "reported as spam"),
                    ("not_spam", "took the spam report back"),
                    ("blocked", "blocked the person"),
                    ("let_in", "let the person in again"),
                    ("forked", "split off a matter of its own"),
                    ("joined", "joined another thread"),
                    ("parted", "took a split or a joining back"),
                    ("helped", "marked an answer of another person as solving"),
                    ("held", "asked for approval"),
                    ("approved", "approved an answer"),
                    ("refused", "refused an answer"),
                ],
                max_length=16,
            ),
        ),
    ]
