"""Mentions that nobody has read yet wait for an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import migrations

if TYPE_CHECKING:
    from django.apps.registry import Apps
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor
    from django.db.backends.utils import CursorWrapper

BATCH = 20_000  # notifications
LAST = "SELECT MAX(id) FROM (SELECT id FROM conversations_notification WHERE id > %s ORDER BY id LIMIT %s) batch"
FILL = """
    INSERT INTO conversations_mention (user_id, interaction_id)
    SELECT user_id, interaction_id FROM conversations_notification
    WHERE id > %s AND id <= %s AND kind = 'mention' AND interaction_id IS NOT NULL AND read_at IS NULL
    ORDER BY id
    ON CONFLICT DO NOTHING
"""


def fill(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """A batch at a time, each committed. What is there is not written again, so a try that was interrupted may begin
    anew."""
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

    dependencies = [("conversations", "0010_teams_and_mentions")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
