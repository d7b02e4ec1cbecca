"""One lock between those who write under a contact and those who move identities from one contact to another.

Writers share it, a merge has it alone: so no merge can pass between the moment a writer reads whose an identity is
and the moment its rows are committed. It is the first lock a merge takes, and writers take it before they read.
"""

from django.db import connection

PEOPLE_LOCK = 3  # the advisory lock's key, beside those of channels


def keep_people() -> None:
    """Until the transaction ends, no identity moves to another contact."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s, 0)", [PEOPLE_LOCK])


def move_people() -> None:
    """Until the transaction ends, nobody else writes under a contact."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", [PEOPLE_LOCK])
