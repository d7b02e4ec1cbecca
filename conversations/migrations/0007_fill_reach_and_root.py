"""What threads say of reach and root, for those that were there before."""

from django.db import migrations

FILL = """
    UPDATE conversations_thread thread SET
        reach_step = width_bucket(COALESCE(person.followers, 0), ARRAY[
            3, 10, 30, 100, 300, 1000, 3000, 10000, 30000, 100000, 300000, 1000000, 3000000, 10000000]::bigint[]),
        root_external_id = COALESCE((
            SELECT i.root_external_id FROM conversations_interaction i
            WHERE i.thread_id = thread.id AND i.visibility = 'public' ORDER BY i.posted_at, i.id LIMIT 1
        ), '')
    FROM contacts_identity person WHERE person.id = thread.identity_id
"""


class Migration(migrations.Migration):
    dependencies = [("conversations", "0006_views_bulk_and_orders")]
    operations = [migrations.RunSQL(FILL, migrations.RunSQL.noop)]
