"""Mentions that nobody has read yet wait for an answer."""

from django.db import migrations

FILL = """
    INSERT INTO conversations_mention (user_id, interaction_id)
    SELECT user_id, interaction_id FROM conversations_notification
    WHERE kind = 'mention' AND interaction_id IS NOT NULL AND read_at IS NULL
    ON CONFLICT DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [("conversations", "0010_teams_and_mentions")]
    operations = [migrations.RunSQL(FILL, migrations.RunSQL.noop)]
