"""What threads say of reach and root, for those that were there before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import migrations

if TYPE_CHECKING:
    from django.apps.registry import Apps
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor
    from django.db.backends.utils import CursorWrapper

BATCH = 5_000  # threads
LAST = "SELECT MAX(id) FROM (SELECT id FROM conversations_thread WHERE id > %s ORDER BY id LIMIT %s) batch"
# Locked in the order of their ids, as everybody does who writes several.
FILL = """
    WITH stale AS (
        SELECT thread.id, told.step, told.root
        FROM conversations_thread thread
        JOIN contacts_identity person ON person.id = thread.identity_id
        CROSS JOIN LATERAL (SELECT
            width_bucket(COALESCE(person.followers, 0), ARRAY[
                3, 10, 30, 100, 300, 1000, 3000, 10000, 30000, 100000, 300000, 1000000, 3000000, 10000000]::bigint[]
            ) AS step,
            COALESCE((
                SELECT i.root_external_id FROM conversations_interaction i
                WHERE i.thread_id = thread.id AND i.visibility = 'public' ORDER BY i.posted_at, i.id LIMIT 1
            ), '') AS root
        ) told
        WHERE thread.id > %s AND thread.id <= %s
            AND (thread.reach_step, thread.root_external_id) IS DISTINCT FROM (told.step, told.root)
        ORDER BY thread.id FOR NO KEY UPDATE OF thread
    )
    UPDATE conversations_thread thread SET reach_step = stale.step, root_external_id = stale.root
    FROM stale WHERE stale.id = thread.id
"""


def fill(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """A batch at a time, each committed: who writes to a thread waits for no more than one. What is right is not
    written again, so a try that was interrupted may begin anew."""
    with editor.connection.cursor() as cursor:
        after = 0
        while (last := _last(cursor, after)) is not None:
            cursor.execute(FILL, [after, last])
            after = last


def _last(cursor: CursorWrapper, after: int) -> int | None:
    """The end of the batch that follows an id; None at the end of all."""
    cursor.execute(LAST, [after, BATCH])
    last: int | None = cursor.fetchone()[0]
    return last


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("conversations", "0006_views_bulk_and_orders")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
