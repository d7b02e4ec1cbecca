"""People by a part of their name or handle, also misspelt."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection
from django.db.models import Q

MOST_PEOPLE = 200
MOST_COMPARED = 2_000
SHORTEST_NAME = 2
SHORTEST_PART = 3  # letters that are found inside a word, or misspelt
_IDENTITIES, _CONTACTS = "contacts_identity", "contacts_contact"
_FIELDS = {_IDENTITIES: ("handle", "name"), _CONTACTS: ("name",)}
_NO_NAME = Q(pk__in=())


def threads_of(name: str, *, misspelt: bool = True, alike: float = 0.0) -> Q:
    """The threads of people whose name or handle contains the text; where none does, of those much like it.

    `alike` is how much at least, from 0 to 1, where that shall be more than PostgreSQL finds alike.
    """
    name = name.lstrip("@").strip()
    if len(name) < SHORTEST_NAME:
        return _NO_NAME
    found = _nearest(name, {table: _holding(name) for table in _FIELDS})
    if misspelt and len(name) >= SHORTEST_PART and not any(found.values()):
        found = _nearest(name, {table: [("%% %s", name.upper())] for table in _FIELDS}, alike)
    return _of(found[_IDENTITIES], found[_CONTACTS])


def are_nobodys(threads: Q) -> bool:
    """Whether `threads_of` found nobody."""
    return threads in (_NO_NAME, _of([], []))


def _of(identities: list[int], contacts: list[int]) -> Q:
    return Q(identity_id__in=identities) | Q(contact_id__in=contacts)


def _holding(name: str) -> list[tuple[str, str]]:
    """Two letters are looked for where words begin: anywhere else no index finds them."""
    held = name.upper().replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    patterns = (f"{held}%", f"% {held}%") if len(name) < SHORTEST_PART else (f"%{held}%",)
    return [("LIKE %s", pattern) for pattern in patterns]


def _nearest(name: str, wanted: dict[str, list[tuple[str, str]]], alike: float = 0.0) -> dict[str, list[int]]:
    """Ids of the nearest of those of whom a field, in upper case, meets one of the conditions, table by table.

    All conditions are met by the trigram indexes on upper case. Of very many only some are compared.
    """
    if not wanted:
        return {}
    parts, values = list[str](), list[str | float]()
    for table, conditions in wanted.items():
        sql, given = _one(table, conditions)
        parts.append(sql)
        values += [*[name.upper()] * len(_FIELDS[table]), *given, alike]
    found: dict[str, list[int]] = {table: [] for table in wanted}
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), values)
        for table, pk in cursor.fetchall():
            found[table].append(pk)
    return found


def _one(table: str, conditions: Sequence[tuple[str, str]]) -> tuple[str, list[str]]:
    """The SQL for one table, and the values of its conditions; how near each is takes one value for each field."""
    fields = _FIELDS[table]
    meets = [(f"upper({field}) {operator}", value) for field in fields for operator, value in conditions]
    nearness = ", ".join(f"similarity(upper({field}), %s)" for field in fields)
    sql = f"""
        (SELECT '{table}', id FROM (
            SELECT id, GREATEST({nearness}) AS nearness FROM {table} WHERE {" OR ".join(sql for sql, _value in meets)}
            LIMIT {MOST_COMPARED}
        ) met WHERE nearness >= %s ORDER BY nearness DESC, id DESC LIMIT {MOST_PEOPLE})
    """  # noqa: S608 (our own names)
    return sql, [value for _sql, value in meets]
