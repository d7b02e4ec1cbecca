"""A small cast everyone knows, and the words they say."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from accounts.models import Brand, User
from accounts.roles import Role
from channels_ingest.models import Channel
from channels_ingest.networks.base import Author, Kind, Post, Visibility

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

MAYA = Author("1001", handle="mayak", name="Maya Keller", followers=18_200)
JONAS = Author("1002", handle="jokafor", name="Jonas Okafor", followers=310)
SOFIA = Author("1003", handle="sofia_outdoors", name="Sofia Rossi", followers=2_400)
TRAILHEAD = Author("9001", handle="trailhead", name="Trailhead Outdoors")

PASSWORD = "pass-word-1"

_counter = itertools.count(1)


def make_user(role: Role, *brands: Brand, name: str = "") -> User:
    label = name or role.label
    user = User.objects.create_user(f"{label.lower()}{next(_counter)}@example.com", PASSWORD, name=label, role=role)
    user.brands.set(brands)
    return user


def make_channel(brand: Brand, *, account: Author = TRAILHEAD, **fields: Any) -> Channel:
    values = {
        "network": "twitter",
        "external_id": account.external_id,
        "handle": account.handle,
        "name": account.name,
        "state": Channel.State.ACTIVE,
        "credentials": {"access_token": "t"},
    }
    return Channel.objects.create(brand=brand, **(values | fields))


def said(
    external_id: str,
    author: Author = MAYA,
    text: str = "My tent came without stakes.",
    *,
    minutes: float = 0,
    parent: Post | str | None = None,
    root: str = "",
    **fields: Any,
) -> Post:
    """A public post, or a reply where `parent` is given; `minutes` after noon."""
    parent_id = parent.external_id if isinstance(parent, Post) else parent
    root_id = root or (parent.root_id if isinstance(parent, Post) else parent_id) or external_id
    values: dict[str, Any] = {
        "kind": Kind.REPLY if parent_id else Kind.POST,
        "visibility": Visibility.PUBLIC,
        "addressee": parent.author if isinstance(parent, Post) else None,
        "facts": {"summoned": True},
        "raw": {"id": external_id},
    }
    return Post(
        external_id=external_id,
        author=author,
        text=text,
        posted_at=NOON + timedelta(minutes=minutes),
        root_id=root_id,
        parent_id=parent_id,
        **(values | fields),
    )


def whispered(
    external_id: str, author: Author = MAYA, to: Author = TRAILHEAD, text: str = "My order is 4711.", **fields: Any
) -> Post:
    """A private message."""
    conversation = "-".join(sorted((author.external_id, to.external_id)))
    return said(
        external_id,
        author,
        text,
        root=conversation,
        kind=Kind.MESSAGE,
        visibility=Visibility.PRIVATE,
        addressee=to,
        **fields,
    )
