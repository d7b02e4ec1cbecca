from django.db import migrations


class Migration(migrations.Migration):
    initial = True
    dependencies = [("accounts", "0002_initial")]
    operations = [migrations.RunSQL("ALTER TABLE accounts_brand ADD COLUMN name text")]
