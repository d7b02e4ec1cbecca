"""Conversations of X that are put in as they were."""

from __future__ import annotations

from dataclasses import asdict

from .. import acts
from ..acts import Refused
from ..things import Item, Member
from .asked import CHANGEABLE, JSON, Asked


def load(asked: Asked) -> JSON:
    """Users and posts of X as they are given, with their ids and times. Known ids are left as they are."""
    users, given = asked.body.get("users", []), asked.body.get("posts", [])
    if not isinstance(users, list) or not isinstance(given, list):
        raise Refused("users and posts are lists.")
    world = asked.world
    new_users = [event for one in users if (event := _loaded_user(asked, one)) is not None]
    world.record_all(new_users)
    for one in users:
        member = world.member("x", str(one["id"]))
        if member is not None and member.brand and not world.tokens_of("x", member.id):
            acts.connect(world, member)
    events = [event for one in given if (event := _loaded_post(asked, one)) is not None]
    fresh = {event["item"]["id"]: event for event in events}
    world.record_all(fresh.values())
    return {"users": len(new_users), "posts": len(fresh), "already_there": len(given) - len(fresh)}


def _loaded_user(asked: Asked, one: JSON) -> JSON | None:
    user_id, username = str(one.get("id", "")), str(one.get("username", ""))
    if not user_id.isdecimal() or len(user_id) > 19 or not username:
        raise Refused(f"A user needs a numeric id and a username: {one!r}")
    if ("x", user_id) in asked.world.members:
        return None
    if ("x", username.lower()) in asked.world.usernames:
        raise Refused(f"The user name {username} belongs to another id.")
    member = Member("x", user_id, username, str(one.get("name") or username), brand=bool(one.get("brand")))
    for name, make in CHANGEABLE.items():
        if name in one:
            setattr(member, name, make(one[name]))
    member.created = int(one.get("created", 1_262_304_000_000))
    return {"kind": "member.created", "member": asdict(member)}


def _loaded_post(asked: Asked, one: JSON) -> JSON | None:
    post_id = str(one.get("id", ""))
    if not post_id.isdecimal() or len(post_id) > 19:
        raise Refused(f"A post needs a numeric id: {post_id!r}")
    if post_id in asked.world.items["x"]:
        return None
    parent = one.get("reply_to")
    item = Item(
        "x", post_id, str(one["author"]), str(one["text"]), int(one["created"]),
        parent=str(parent) if parent else None, via="load", lang=str(one.get("lang", "en")),
    )  # fmt: skip
    return {"kind": "post.created", "by": "load", "item": acts.lean(item)}
