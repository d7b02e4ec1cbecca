from django.db import migrations


class Migration(migrations.Migration):
    """Locks a table others use, and changes a row count."""

    initial = True
    dependencies = [("accounts", "0002_initial")]
    operations = [
        migrations.RunSQL("ALTER TABLE accounts_brand ADD COLUMN motto text NOT NULL DEFAULT ''"),
        migrations.RunSQL("CREATE TABLE insights_mark (id bigint); INSERT INTO insights_mark VALUES (1), (2)"),
    ]
