from django.db import migrations, models

PURPOSES = [
    ("handover", "hand-over line: going on in private"),
    ("invite", "invitation: the customer has to write to us first"),
    ("closing", "closing public word: solved in private"),
]


class Migration(migrations.Migration):
    dependencies = [("conversations", "0019_search_by_days")]

    operations = [
        migrations.AddField(
            model_name=model,
            name="purpose",
            field=models.CharField(blank=True, choices=PURPOSES, db_default="", default="", max_length=16),
        )
        for model in ("delivery", "draft")
    ]
