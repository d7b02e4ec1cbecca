"""Puts a backup in the place of the database, and brings it up to what may be known and sent today.

All of it or nothing: the old content goes and the new one comes in one transaction. Afterwards what was erased since
the backup is erased again, replies that may have left since are looked up before anything is sent, and the networks
are read back over the hole.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Now
from django.utils.translation import gettext as _

from channels_ingest import erasures
from channels_ingest.erasures import Erasure
from channels_ingest.ingest import hand_over
from channels_ingest.models import Channel, Recheck, StreamCursor
from channels_ingest.networks.base import AuthorRemoval, Item, Removal
from conversations.models import Delivery
from scrm.keeping import archive, backup, programs

_EMPTY = """
SET client_min_messages = warning;
DROP SCHEMA public CASCADE;
CREATE SCHEMA public;
ALTER SCHEMA public OWNER TO pg_database_owner;
GRANT USAGE ON SCHEMA public TO PUBLIC;
COMMENT ON SCHEMA public IS 'standard public schema';
"""
_OWN = ("accounts_user", "channels_ingest_channel", "contacts_contact", "conversations_interaction")
_ERASED_HERE = """
    SELECT GREATEST(t.at, %s), c.network, c.external_id, t.reason, t.external_id
    FROM conversations_tombstone t JOIN channels_ingest_channel c ON c.id = t.channel_id WHERE t.at >= %s
    UNION ALL
    SELECT i.removed_at, c.network, c.external_id, i.removed_reason, i.external_id
    FROM conversations_interaction i JOIN channels_ingest_channel c ON c.id = i.channel_id
    WHERE i.removed_at >= %s AND i.external_id IS NOT NULL
"""


class Refused(Exception):
    """The backup is not restored; the message is one line."""


def restore(path: Path, *, replace: bool) -> dict[str, Any]:
    """Restores; returns what was done. Raises Refused, archive.BadArchive, programs.ProgramFailed."""
    with archive.opened(path) as (manifest, dump):
        unknown = sorted(set(manifest.migrations) - backup.known_migrations())
        if unknown:
            raise Refused(f"{path} is of a newer version of this product: it knows {unknown[0]}, which is not here.")
        if not replace and _is_in_use():
            raise Refused("The database is not empty. With --replace what it holds is replaced by the backup.")
        gone = [*_erased_here(manifest.moment), *erasures.since(manifest.moment)]
        connection.close()
        _load(dump)
    found = backup.rows()
    if found != manifest.rows:
        wrong = next(name for name in {*found, *manifest.rows} if found.get(name) != manifest.rows.get(name))
        raise Refused(f"Restored, but {wrong} does not hold as many rows as the backup counted: do not use it.")
    call_command("migrate", verbosity=0, interactive=False)
    return {"rows": sum(found.values()), "erased_again": _erase(gone), **_settle(manifest.moment)}


def _is_in_use() -> bool:
    """Whether anything of ours stands in the database."""
    found = set(backup.tables())
    with connection.cursor() as cursor:
        for table in found.intersection(_OWN):
            cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {table})")  # noqa: S608 (one of our own four names)
            if cursor.fetchone()[0]:
                return True
    return bool(found - {"django_migrations"}) and not found.issuperset(_OWN)


def _erased_here(moment: datetime) -> list[Erasure]:
    """What the database that is about to go knows to be erased since then."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_ERASED_HERE, [moment] * 3)
            lines = cursor.fetchall()
    except DatabaseError:  # there is no such table: an empty database, or an older one
        return []
    return [Erasure(at, network, account, reason, items=(item,)) for at, network, account, reason, item in lines]


def _load(dump: Path) -> None:
    """Replaces all that stands in the database, in one transaction, which is committed when the last line is in."""
    reading = [programs.program("pg_restore"), "--no-owner", "--no-privileges", "--file=-", str(dump)]
    writing = [programs.program("psql"), "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--file=-"]
    around = programs.surroundings()
    with tempfile.TemporaryFile() as complaints, tempfile.TemporaryFile() as refusals:
        source = subprocess.Popen(reading, env=around, stdout=subprocess.PIPE, stderr=complaints)
        target = subprocess.Popen(
            writing, env=around, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=refusals
        )
        read = _pour(source, target)
        if target.wait() != 0 or read != 0:
            raise programs.ProgramFailed(f"The database is as it was: {_words(refusals) or _words(complaints)}")


def _pour(source: subprocess.Popen[bytes], target: subprocess.Popen[bytes]) -> int:
    """From one program into the other; returns how the first one ended. Nothing is committed where it failed."""
    if source.stdout is None or target.stdin is None:
        raise programs.ProgramFailed("The programs could not be joined.")
    with suppress(BrokenPipeError):  # the second one has refused: it says why
        target.stdin.write(b"BEGIN;" + _EMPTY.encode())
        shutil.copyfileobj(source.stdout, target.stdin)
        target.stdin.flush()
    source.stdout.close()
    ended = source.wait()
    with suppress(BrokenPipeError):
        target.stdin.write(b"\nCOMMIT;\n" if ended == 0 else b"\nROLLBACK;\n")
        target.stdin.flush()
    with suppress(BrokenPipeError):
        target.stdin.close()
    return ended


def _words(file: IO[bytes]) -> str:
    file.seek(0)
    text = file.read().decode(errors="replace")
    return programs.last_words(text) if text.strip() else ""


# -- afterwards -------------------------------------------------------------------------------------------------------


def _erase(gone: Iterable[Erasure]) -> int:
    """Erases again what was erased after the backup; returns how many items and authors."""
    channels = {(one.network, one.external_id): one for one in Channel.objects.select_related("app")}
    done = 0
    for erasure in gone:
        told: list[Item] = [Removal(one, erasure.reason) for one in erasure.items]
        told += [AuthorRemoval(one, erasure.reason) for one in erasure.authors]
        channel = channels.get((erasure.network, erasure.account)) or next(
            (one for (network, _id), one in channels.items() if network == erasure.network), None
        )
        if channel is not None:
            hand_over(channel, told)
            done += len(told)
    return done


def _settle(moment: datetime) -> dict[str, int]:
    """Nothing that may have left since the backup is sent blind, and the hole since then is read back."""
    words = _("This reply stood in a backup that was restored.")
    waiting = Delivery.objects.filter(state__in=(Delivery.State.QUEUED, Delivery.State.SENDING))
    first = waiting.order_by("thread_id", F("state").desc(), "pk").distinct("thread_id").values("pk")
    in_flight = Delivery.objects.filter(state=Delivery.State.UNKNOWN).values("thread_id")
    with transaction.atomic():
        chosen = Delivery.objects.filter(pk__in=first).exclude(thread_id__in=in_flight)
        look_up = list(chosen.values_list("pk", flat=True))
        doubtful = waiting.exclude(pk__in=look_up).update(
            state=Delivery.State.FAILED,
            settled_at=Now(),
            lease_until=None,
            error=words,
            advice=_("Look on the network whether it is there; if not, send it again."),
        )
        unknown = Delivery.objects.filter(pk__in=look_up).update(
            state=Delivery.State.UNKNOWN,
            not_before=Now(),
            lease_until=None,
            started_at=Coalesce("started_at", "created_at"),
            error=words,
        )
        Recheck.objects.all().delete()
        StreamCursor.objects.update(due_at=Now())
        working = Q(state=Channel.State.ACTIVE) | Q(state=Channel.State.BROKEN)
        holes = Channel.objects.filter(working).update(outage_from=Coalesce("outage_from", moment))
    return {"replies_to_look_up": unknown, "replies_to_decide": doubtful, "channels_to_read_back": holes}
