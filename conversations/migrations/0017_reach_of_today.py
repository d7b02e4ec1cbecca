"""Threads told the reach that their person had when somebody wrote there last."""

from django.db import migrations

FILL = """
    UPDATE conversations_thread thread
    SET reach_step = width_bucket(COALESCE(person.followers, 0), ARRAY[
        3, 10, 30, 100, 300, 1000, 3000, 10000, 30000, 100000, 300000, 1000000, 3000000, 10000000]::bigint[])
    FROM contacts_identity person
    WHERE person.id = thread.identity_id
        AND thread.reach_step <> width_bucket(COALESCE(person.followers, 0), ARRAY[
            3, 10, 30, 100, 300, 1000, 3000, 10000, 30000, 100000, 300000, 1000000, 3000000, 10000000]::bigint[])
"""


class Migration(migrations.Migration):
    dependencies = [("conversations", "0016_search_by_day")]
    operations = [migrations.RunSQL(FILL, migrations.RunSQL.noop)]
