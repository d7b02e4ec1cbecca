"""The control API: JSON for tests, for loading data and for connecting a channel in one click. See README.md."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from aiohttp import web

from . import acts, ids
from .acts import Refused
from .ledger import now_ms
from .sender import must_be_loopback
from .site import SENDER, Site, site_of
from .things import App, Item, Member, Message, Network, Subscription, Webhook
from .weather import BadFault
from .x.render import iso

JSON = dict[str, Any]
LEDGER_PAGE = 10_000
SECRETS = ("value", "secret", "bearer", "verify_token", "refresh")
ALL_X_EVENTS = (
    "post.create", "post.delete", "post.mention.create", "post.reply.create", "post.quote.create", "dm.sent",
    "dm.received", "follow.follow", "follow.unfollow",
)  # fmt: skip
ALL_PAGE_FIELDS = ("feed", "mention", "messages", "message_echoes")
CHANGEABLE = {
    "name": str, "followers": int, "verified": bool, "protected": bool, "suspended": bool, "dm_open": bool,
    "lang": str, "bio": str, "location": str,
}  # fmt: skip


class Asked:
    """The JSON body of a call, read with clear complaints."""

    def __init__(self, request: web.Request, body: JSON) -> None:
        self.site = site = site_of(request)
        self.sender = request.config_dict[SENDER]
        path = dict(request.match_info)
        self.world = site.world
        self.body = body
        self.path = path

    def text(self, name: str, default: str | None = None) -> str:
        value = self.body.get(name, default)
        if not isinstance(value, str):
            raise Refused(f"{name} must be given as text.")
        return value

    @property
    def network(self) -> Network:
        value = self.path.get("network") or self.text("network")
        if value == "x":
            return "x"
        if value == "facebook":
            return "facebook"
        raise Refused("network is x or facebook.")

    def member(self, name: str, network: Network | None = None) -> Member:
        """A member named by id, by user name (with or without @) or by person."""
        return find_member(self.site, network or self.network, self.path.get(name) or self.text(name))

    def item(self, name: str, network: Network | None = None) -> Item:
        value = self.path.get(name) or self.text(name)
        item = self.world.items[network or self.network].get(value)
        if item is None:
            raise Refused(f"There is no item {value}.")
        return item

    def maybe_item(self, name: str, network: Network) -> Item | None:
        return self.item(name, network) if self.body.get(name) else None

    @property
    def at(self) -> int | None:
        """`at`: UTC, milliseconds since 1970."""
        value = self.body.get("at")
        if value is not None and not isinstance(value, int):
            raise Refused("at is a time in milliseconds since 1970.")
        return value

    @property
    def media(self) -> list[JSON] | None:
        return [sample_picture()] if self.body.get("picture") else None


def sample_picture() -> JSON:
    number = ids.digits("picture", str(now_ms()), ids.secret(), length=18)
    url = f"/media/{number}.png"
    return {
        "media_key": f"3_{number}", "type": "photo", "url": url, "alt_text": "A picture", "width": 480, "height": 320,
    }  # fmt: skip


def find_member(site: Site, network: Network, name: str) -> Member:
    """Raises Refused."""
    member = site.world.member(network, name) or site.world.by_username(network, name.lstrip("@"))
    if member is None:
        raise Refused(f"There is no account {name} on {network}.")
    return member


Action = Callable[[Asked], Any]


def endpoint(action: Action) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Runs an action on the JSON body; a refusal is answered 400 with its reason."""

    async def handle(request: web.Request) -> web.Response:
        try:
            body = json.loads(await request.text() or "{}")
            if not isinstance(body, dict):
                raise Refused("The body must be a JSON object.")
            query = {name: value for name, value in request.query.items() if name not in body}
            answer = action(Asked(request, {**query, **body}))
            if isinstance(answer, Awaitable):
                answer = await answer
        except (Refused, BadFault) as refused:
            return web.json_response({"error": str(refused)}, status=400)
        except json.JSONDecodeError as error:
            return web.json_response({"error": f"The body is not JSON: {error}"}, status=400)
        return web.json_response(answer)

    return handle


# -- who is there ---------------------------------------------------------------------------------------------------
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


async def set_webhook(asked: Asked) -> JSON:
    """What one does in the developer console: {"url", "app"?, "verify_token"?, "fields"?}, with the real hand-shake.

    On X it also subscribes the app's accounts to all events; on Facebook their Pages to all fields.
    """
    url, network = must_be_loopback(asked.text("url")), asked.network
    apps = [app for app in asked.world.apps.values() if app.network == network]
    app = asked.world.apps.get((network, asked.text("app"))) if "app" in asked.body else (apps[0] if apps else None)
    if app is None:
        raise Refused("There is no such app; make a brand first.")
    accounts = [token.account for token in asked.world.tokens.values() if token.app == app.id and token.account]
    if network == "x":
        await _set_x_webhook(asked, app, url, accounts)
    else:
        await _set_page_webhook(asked, app, url, accounts)
    return {"url": url, "app": app.id, "accounts": accounts}


async def _set_x_webhook(asked: Asked, app: App, url: str, accounts: list[str]) -> None:
    if not await asked.sender.crc(app, url):
        raise Refused("The challenge (crc_token) was not answered correctly.")
    world, now = asked.world, now_ms()
    known = next((one for one in world.webhooks.values() if (one.app, one.url) == (app.id, url)), None)
    webhook = known or Webhook(world.snowflakes.take(now), app.id, url, True, now)
    world.record("webhook.set", webhook=asdict(webhook))
    there = {(one.event_type, one.filter.get("user_id"), one.webhook) for one in world.subscriptions.values()}
    for account in accounts:
        for event in ALL_X_EVENTS:
            if (event, account, webhook.id) not in there:
                number = world.snowflakes.take(now)
                one = Subscription(number, app.id, event, {"user_id": account}, webhook.id, event, now, now)
                world.record("subscription.set", subscription=asdict(one))


async def _set_page_webhook(asked: Asked, app: App, url: str, accounts: list[str]) -> None:
    token = asked.text("verify_token", app.verify_token)
    if not await asked.sender.verify(url, token):
        raise Refused("The challenge (hub.challenge) did not come back.")
    changes = {"webhook_url": url, "verify_token": token, "fields": list(ALL_PAGE_FIELDS)}
    asked.world.record("app.changed", network="facebook", id=app.id, changes=changes)
    for account in accounts:
        asked.world.record("page.subscribed", page=account, app=app.id, fields=list(ALL_PAGE_FIELDS))


def lose_webhook(asked: Asked) -> JSON:
    """What networks do of themselves with a receiver that is away: X marks a webhook invalid whose challenge was not
    answered for a day, Facebook unsubscribes Pages after an hour of failing. Here the time has passed."""
    world, app, network = asked.world, asked.text("app"), asked.network
    if network == "x":
        for webhook in [one for one in world.webhooks.values() if one.app == app]:
            world.record("webhook.set", webhook={**asdict(webhook), "valid": False})
    else:
        for page in [token.account for token in world.tokens.values() if token.app == app and token.account]:
            world.record("page.subscribed", page=page, app=app, fields=[])
    return {"app": app}


# -- what people (and brands in the native apps) do -----------------------------------------------------------------
def _via(author: Member) -> acts.Via:
    return "native" if author.brand else "person"


def post(asked: Asked) -> JSON:
    """A post, reply or quote on X; a post on or about a Page, or a comment, on Facebook."""
    network = asked.network
    author, text = asked.member("author"), asked.text("text")
    parent = asked.maybe_item("reply_to", network)
    if network == "x":
        quoted = asked.maybe_item("quote", network)
        made = acts.post_on_x(
            asked.world, author, text, reply_to=parent, quoted=quoted, via=_via(author), at=asked.at,
            media=asked.media, lang=asked.text("lang", ""),
        )  # fmt: skip
    elif parent is not None:
        made = acts.comment(asked.world, parent, author, text, via=_via(author), at=asked.at, media=asked.media)
    else:
        page = author if author.brand else asked.member("page")
        tagged = bool(asked.body.get("tagged"))
        made = acts.post_on_page(
            asked.world, page, author, text, tagged=tagged, via=_via(author), at=asked.at, media=asked.media
        )
    return shown_item(asked.site, made)


def shown_item(site: Site, item: Item) -> JSON:
    shown = {name: value for name, value in asdict(item).items() if value not in (None, False, "")}
    if item.network == "x":
        shown["conversation_id"] = site.world.root_of(item)
    return shown | {"deleted": item.deleted, "hidden": item.hidden, "created_at": iso(item.created)}


def show_item(asked: Asked) -> JSON:
    item = asked.item("id")
    below = [one.id for one in asked.world.below(item.network, item.id)]
    return shown_item(asked.site, item) | {"below": below}


def edit(asked: Asked) -> JSON:
    item = asked.item("id")
    author = asked.world.member(item.network, item.author)
    return shown_item(
        asked.site, acts.edit(asked.world, item, asked.text("text"), via=_via(author) if author else "person")
    )


def delete(asked: Asked) -> JSON:
    item = asked.item("id")
    author = asked.world.member(item.network, item.author)
    acts.delete(asked.world, item, via=_via(author) if author else "person")
    return shown_item(asked.site, item)


def like(asked: Asked) -> JSON:
    item = asked.item("id")
    acts.like(asked.world, item, asked.member("author"))
    return shown_item(asked.site, item)


def message(asked: Asked) -> JSON:
    author, to = asked.member("author"), asked.member("to")
    if author.brand == to.brand and asked.network == "facebook":
        raise Refused("On Facebook a message runs between a person and a Page.")
    sent = acts.send_message(
        asked.world, author, to, asked.text("text"), via=_via(author), at=asked.at, media=asked.media
    )
    return shown_message(asked.site, sent)


def shown_message(site: Site, message: Message) -> JSON:
    shown = asdict(message)
    if message.network == "facebook":
        page, user = site.world.page_and_user(message)
        shown["psid"] = site.world.know(page, user)
    return shown | {"created_at": iso(message.created)}


def follow(asked: Asked) -> JSON:
    acts.follow(asked.world, asked.member("author"), asked.member("whom"), on=bool(asked.body.get("on", True)))
    return {"followed": bool(asked.body.get("on", True))}


# -- loading --------------------------------------------------------------------------------------------------------
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


# -- switches, settings, ledgers ------------------------------------------------------------------------------------
def switches(asked: Asked) -> JSON:
    return {"switches": asked.site.weather.shown()}


def add_switch(asked: Asked) -> JSON:
    return asdict(asked.site.weather.add(asked.body))


def clear_switches(asked: Asked) -> JSON:
    asked.site.weather.clear()
    return {"switches": []}


def remove_switch(asked: Asked) -> JSON:
    if not asked.site.weather.remove(int(asked.path["id"])):
        raise Refused("There is no such switch.")
    return {"switches": asked.site.weather.shown()}


def settings(asked: Asked) -> JSON:
    return dict(asked.world.settings)


def change_settings(asked: Asked) -> JSON:
    """{"x": {"rate_limits": false}}: only what is named changes."""
    for group, changes in asked.body.items():
        known = asked.world.settings.get(group)
        if known is None or not isinstance(changes, dict) or not set(changes) <= set(known):
            raise Refused(f"Unknown setting in {group}; known are {', '.join(known or asked.world.settings)}.")
    for group, changes in asked.body.items():
        asked.world.record("settings.changed", group=group, changes=changes)
    if asked.body.get("x", {}).get("rate_limits") is not None:
        asked.site.limits.forgive()
    return dict(asked.world.settings)


def ledger(asked: Asked) -> JSON:
    """?kind=accepted|served|webhooks|calls&after=N&limit=N. `last` is the number of the newest line."""
    kind = asked.text("kind", "accepted")
    book = asked.site.ledgers.get(kind)
    after, limit = asked.text("after", "0"), asked.text("limit", str(LEDGER_PAGE))
    if book is None or not after.isdecimal() or not limit.isdecimal():
        raise Refused("kind is accepted, served, webhooks or calls; after and limit are numbers.")
    lines = [_discreet(line) for line in book.read(after=int(after), limit=min(int(limit), LEDGER_PAGE))]
    return {"kind": kind, "lines": lines, "last": book.count}


def _discreet(line: JSON) -> JSON:
    """A journal line without the secrets of apps and tokens."""
    if line.get("kind") == "token.spent":
        line = {name: value for name, value in line.items() if name != "value"}
    for part in ("app", "token"):
        if isinstance(line.get(part), dict):
            line = {**line, part: {name: value for name, value in line[part].items() if name not in SECRETS}}
    return line


def routes() -> list[web.RouteDef]:
    get, send, drop, change = web.get, web.post, web.delete, web.patch
    base, net = "/control", "/control/{network:x|facebook}"
    return [
        get(base + "/state", endpoint(state)),
        get(base + "/brands", endpoint(list_brands)),
        send(base + "/people", endpoint(create_person)),
        send(net + "/brands", endpoint(create_brand)),
        get(net + "/brands/{id}", endpoint(show_brand)),
        send(net + "/brands/{id}/token", endpoint(change_token)),
        change(net + "/members/{id}", endpoint(change_member)),
        send(net + "/webhook", endpoint(set_webhook)),
        send(net + "/webhook/loss", endpoint(lose_webhook)),
        send(net + "/posts", endpoint(post)),
        get(net + "/posts/{id}", endpoint(show_item)),
        change(net + "/posts/{id}", endpoint(edit)),
        drop(net + "/posts/{id}", endpoint(delete)),
        send(net + "/posts/{id}/likes", endpoint(like)),
        send(net + "/messages", endpoint(message)),
        send(net + "/follows", endpoint(follow)),
        send(base + "/x/load", endpoint(load)),
        get(base + "/switches", endpoint(switches)),
        send(base + "/switches", endpoint(add_switch)),
        drop(base + "/switches", endpoint(clear_switches)),
        drop(base + "/switches/{id:\\d+}", endpoint(remove_switch)),
        get(base + "/settings", endpoint(settings)),
        change(base + "/settings", endpoint(change_settings)),
        get(base + "/ledger", endpoint(ledger)),
    ]
