"""Who is there: people, brands, and the tokens to connect them with."""

from __future__ import annotations

from dataclasses import asdict

from .. import acts
from ..acts import Refused
from ..ledger import now_ms
from ..site import Site
from ..things import Member
from .asked import CHANGEABLE, JSON, Asked


def state(asked: Asked) -> JSON:
    """Everyone and everything, in short."""
    world = asked.world
    people = {
        key: {network: shown_member(world.members[network, one]) for network, one in accounts.items()}
        for key, accounts in world.people.items()
    }
    return {
        "people": people,
        "brands": [shown_brand(asked.site, member) for member in world.members.values() if member.brand],
        "counts": {
            "items": {network: len(items) for network, items in world.items.items()},
            "messages": len(world.messages),
            "ledgers": {kind: book.count for kind, book in asked.site.ledgers.items()},
        },
        "webhooks": [asdict(webhook) for webhook in world.webhooks.values()],
        "subscriptions": [asdict(subscription) for subscription in world.subscriptions.values()],
        "page_subscriptions": world.page_subscriptions,
        "settings": world.settings,
        "switches": asked.site.weather.shown(),
    }


def shown_member(member: Member) -> JSON:
    return {name: value for name, value in asdict(member).items() if name != "created"}


def shown_brand(site: Site, member: Member) -> JSON:
    """An account with all one needs to connect it as a channel."""
    tokens = site.world.tokens_of(member.network, member.id)
    token = tokens[-1] if tokens else None
    app = site.world.apps.get((member.network, token.app)) if token else None
    credentials: JSON = {}
    if token and app and member.network == "x":
        credentials = {
            "access_token": token.value,
            "consumer_key": app.id,
            "consumer_secret": app.secret,
            "bearer_token": app.bearer,
        }
        if token.refresh:
            credentials |= {
                "client_id": app.client_id,
                "client_secret": app.client_secret,
                "refresh_token": token.refresh,
            }
    elif token and app:
        credentials = {
            "access_token": token.value,
            "app_id": app.id,
            "app_secret": app.secret,
            "verify_token": app.verify_token,
        }
    base = site.base_url + ("/x" if member.network == "x" else "/graph")
    return {**shown_member(member), "base_url": base, "credentials": credentials}


def create_person(asked: Asked) -> JSON:
    facts = {name: asked.body[name] for name in CHANGEABLE if name in asked.body and name != "name"}
    members = acts.create_person(asked.world, handle=asked.text("handle"), name=asked.text("name", ""), **facts)
    return {"person": members["x"].person, **{network: shown_member(member) for network, member in members.items()}}


def create_brand(asked: Asked) -> JSON:
    facts = {name: asked.body[name] for name in (*CHANGEABLE, "id") if name in asked.body and name != "name"}
    network, handle = asked.network, asked.text("handle")
    existing = asked.world.by_username(network, handle.lstrip("@"))
    if existing is not None and existing.brand and asked.body.get("if_missing"):
        return shown_brand(asked.site, existing)
    name, app = asked.text("name", ""), asked.text("app", "")
    return shown_brand(asked.site, acts.create_brand(asked.world, network, handle=handle, name=name, app=app, **facts))


def list_brands(asked: Asked) -> JSON:
    return {"brands": [shown_brand(asked.site, member) for member in asked.world.members.values() if member.brand]}


def show_brand(asked: Asked) -> JSON:
    return shown_brand(asked.site, asked.member("id"))


def change_member(asked: Asked) -> JSON:
    member = asked.member("id")
    changes = {name: make(asked.body[name]) for name, make in CHANGEABLE.items() if name in asked.body}
    acts.change_member(asked.world, member, **changes)
    return shown_member(member)


def change_token(asked: Asked) -> JSON:
    """revoke (with `subcode` on Facebook), restore, renew (a fresh token; the old ones are dead), scope; on X also pair
    (one that ends, with a refresh token) and expire (the newest ends now; its refresh token is still good)."""
    member, what = asked.member("id"), asked.text("action")
    world, network = asked.world, asked.network
    if what == "revoke":
        dead = {"subcode": asked.body.get("subcode", 460)}
        world.record("token.changed", network=network, id=member.id, changes={"dead": dead})
    elif what == "restore":
        world.record("token.changed", network=network, id=member.id, changes={"dead": None})
    elif what == "renew":
        app = world.apps[network, world.tokens_of(network, member.id)[-1].app]
        world.record("token.changed", network=network, id=member.id, changes={"dead": {"subcode": 460}})
        acts.issue_token(world, member, app)
    elif what == "pair" and network == "x":
        acts.issue_pair(world, member.id, world.tokens_of(network, member.id)[-1].app)
    elif what == "expire" and network == "x":
        world.record("token.changed", network=network, id=member.id, changes={"expires": now_ms()})
    elif what in ("remove_scope", "add_scope"):
        _change_scope(asked, member, what)
    else:
        raise Refused("action is revoke, restore, renew, pair or expire (on X), remove_scope or add_scope.")
    return shown_brand(asked.site, member)


def _change_scope(asked: Asked, member: Member, what: str) -> None:
    scope = asked.text("scope")
    tokens = asked.world.tokens_of(asked.network, member.id)
    scopes = [one for one in tokens[-1].scopes if one != scope] + ([scope] if what == "add_scope" else [])
    asked.world.record("token.changed", network=asked.network, id=member.id, changes={"scopes": scopes})
