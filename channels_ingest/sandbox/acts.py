"""What can be done on the networks, by people, by brands natively and through the APIs. Rules of the API doors
(who may, how often) live with the doors; here is only what happens."""

from __future__ import annotations

import re
from dataclasses import MISSING, asdict, fields
from typing import Any, Literal

from . import ids
from .ledger import Record, now_ms
from .things import PAGE_SCOPES, X_SCOPES, App, Item, Member, Message, Network, Token
from .world import World, mentioned

Via = Literal["person", "native", "api", "load"]
APP_NAMES = {"x": "crm-x", "facebook": "crm-facebook"}
EDITS_ALLOWED = 5
EDIT_WINDOW_MS = 3_600_000


class Refused(Exception):
    """What was asked cannot be done; the message says why."""


# -- people and brands ----------------------------------------------------------------------------------------------
def create_person(world: World, *, handle: str, name: str = "", **facts: Any) -> dict[Network, Member]:
    """A person with an account on X and one on Facebook. Raises Refused for a bad or taken handle."""
    handle = _good_handle(world, handle)
    members: list[Member] = []
    for network in ("x", "facebook"):
        member = _new_member(world, network, handle, name or handle, facts)
        member.person = handle
        members.append(member)
    world.record_all([{"kind": "member.created", "member": asdict(member)} for member in members])
    return {member.network: member for member in members}


def create_brand(world: World, network: Network, *, handle: str, name: str = "", app: str = "", **facts: Any) -> Member:
    """A brand's X account or Facebook Page, with an app and tokens. Raises Refused."""
    handle = _good_handle(world, handle, networks=(network,))
    member = _new_member(world, network, handle, name or handle, facts)
    member.brand = True
    world.record("member.created", member=asdict(member))
    connect(world, member, app=app)
    return member


def connect(world: World, member: Member, *, app: str = "") -> None:
    """Gives an account its app and a token."""
    issue_token(world, member, _app(world, member.network, app))


def issue_token(world: World, member: Member, app: App) -> Token:
    scopes = X_SCOPES if member.network == "x" else PAGE_SCOPES
    prefix = "" if member.network == "x" else "EAA"
    token = Token(ids.secret(prefix), member.network, app.id, member.id, scopes=list(scopes))
    world.record("token.issued", token=asdict(token))
    return token


def issue_pair(world: World, account: str, app_id: str, *, spend: Token | None = None) -> Token:
    """An access token of X that ends, with the refresh token for the next; `spend` is the one it is given for."""
    ends = now_ms() + world.settings["x"]["token_seconds"] * 1000
    token = Token(
        ids.secret(), "x", app_id, account, scopes=list(spend.scopes if spend else X_SCOPES),
        expires=ends, refresh=ids.secret("refresh-"),
    )  # fmt: skip
    spent = [{"kind": "token.spent", "value": spend.value}] if spend else []
    world.record_all([*spent, {"kind": "token.issued", "token": asdict(token)}])
    return token


def _app(world: World, network: Network, name: str) -> App:
    app_id = ids.digits("app", network, name or APP_NAMES[network], length=15)
    if network == "x":
        app_id = "ck" + app_id
    if (network, app_id) not in world.apps:
        bearer = ids.secret("AAAAAAAAAAAAAAAAAAAAA") if network == "x" else ""
        app = App(network, app_id, ids.secret(), ids.secret("verify-"), bearer)
        world.record("app.created", app=asdict(app))
    return world.apps[network, app_id]


def _good_handle(world: World, handle: str, networks: tuple[Network, ...] = ("x", "facebook")) -> str:
    handle = handle.strip().lstrip("@")
    if not re.fullmatch(r"[A-Za-z0-9_]{1,15}", handle):
        raise Refused("A handle has 1 to 15 letters, digits or underscores.")
    if any((network, handle.lower()) in world.usernames for network in networks):
        raise Refused(f"The handle {handle} is taken.")
    return handle


def _new_member(world: World, network: Network, handle: str, name: str, facts: dict[str, Any]) -> Member:
    now = now_ms()
    member_id = world.snowflakes.take(now) if network == "x" else ids.digits("facebook", handle, str(now), length=15)
    member = Member(network, str(facts.get("id") or member_id), handle, name[:50], created=now - 86_400_000 * 900)
    for field in ("followers", "verified", "protected", "dm_open", "lang", "bio", "location"):
        if field in facts:
            setattr(member, field, type(getattr(member, field))(facts[field]))
    if (network, member.id) in world.members:
        raise Refused(f"The id {member.id} is taken.")
    return member


# -- public, X ------------------------------------------------------------------------------------------------------
def post_on_x(
    world: World,
    author: Member,
    text: str,
    *,
    reply_to: Item | None = None,
    quoted: Item | None = None,
    via: Via = "person",
    at: int | None = None,
    media: list[dict[str, Any]] | None = None,
    lang: str = "",
) -> Item:
    """A post, reply or quote. A reply gets the leading @names that X's own apps write."""
    at = at or now_ms()
    whole = with_names(world, author, text, reply_to) if reply_to else text
    item = Item(
        "x", world.snowflakes.take(at), author.id, whole, at,
        parent=reply_to.id if reply_to else None, quoted=quoted.id if quoted else None,
        via=via, sent=text if whole != text else None, lang=lang or author.lang, media=media,
        prefix=len(whole) - len(text),
    )  # fmt: skip
    world.record("post.created", by=via, item=lean(item))
    return world.items["x"][item.id]


def with_names(world: World, author: Member, text: str, parent: Item) -> str:
    already = set(mentioned(text)) | {author.username.lower()}
    above = world.member("x", parent.author)
    names = [above.username] if above else []
    leading = re.match(r"(?:@\w{1,15}\s+)+", parent.text)
    names += re.findall(r"@(\w{1,15})", leading[0]) if leading else []
    missing = [name for name in dict.fromkeys(names) if name.lower() not in already]
    return "".join(f"@{name} " for name in missing) + text


def edit_on_x(world: World, item: Item, text: str, *, via: Via = "person") -> Item:
    """A new version with an id of its own. Raises Refused after an hour or five edits, or when it is gone."""
    newest = world.versions(item)[-1]
    history = newest.history or [newest.id]
    first = world.items["x"][history[0]]
    now = now_ms()
    if newest.deleted:
        raise Refused("The post is deleted.")
    if len(history) > EDITS_ALLOWED or now - first.created > EDIT_WINDOW_MS:
        raise Refused("A post can be edited five times within one hour.")
    version_id = world.snowflakes.take(now)
    version = Item(
        "x", version_id, newest.author, newest.text[: newest.prefix] + text, now,
        parent=newest.parent, quoted=newest.quoted, via=via, lang=newest.lang, media=newest.media,
        edited=now, history=[*history, version_id], prefix=newest.prefix,
    )  # fmt: skip
    world.record("post.created", by=via, edit_of=newest.id, item=lean(version))
    return world.items["x"][version_id]


# -- public, Facebook -----------------------------------------------------------------------------------------------
def post_on_page(
    world: World, page: Member, author: Member, text: str, *, tagged: bool = False, via: Via = "person",
    at: int | None = None, media: list[dict[str, Any]] | None = None,
) -> Item:  # fmt: skip
    """A post on a Page's wall, or (`tagged`) on the author's own that tags the Page. Raises Refused for somebody whom
    the Page blocked."""
    _not_blocked(world, page.id, author)
    at = at or now_ms()
    number = world.snowflakes.take(at)
    owner = ids.page_scoped_id(page.id, author.id) if tagged else page.id
    item = Item(
        "facebook", f"{owner}_{number}", author.id, text, at, page=page.id, via=via, lang=author.lang, media=media
    )
    world.record("post.created", by=via, item=lean(item))
    return world.items["facebook"][item.id]


def comment(
    world: World, parent: Item, author: Member, text: str, *, via: Via = "person", at: int | None = None,
    media: list[dict[str, Any]] | None = None,
) -> Item:  # fmt: skip
    """A comment on a Facebook post or on a comment. Raises Refused where the parent is gone, and for somebody whom the
    Page blocked."""
    if parent.deleted:
        raise Refused("What you want to comment on is deleted.")
    _not_blocked(world, parent.page or "", author)
    at = at or now_ms()
    post = parent.post or parent.id
    number = world.snowflakes.take(at)
    item = Item(
        "facebook", f"{post.split('_')[1]}_{number}", author.id, text, at,
        parent=parent.id, post=post, page=parent.page, via=via, lang=author.lang, media=media,
    )  # fmt: skip
    world.record("post.created", by=via, item=lean(item))
    return world.items["facebook"][item.id]


# -- both -----------------------------------------------------------------------------------------------------------
def edit(world: World, item: Item, text: str, *, via: Via = "person") -> Item:
    """Raises Refused."""
    if item.network == "x":
        return edit_on_x(world, item, text, via=via)
    if item.deleted:
        raise Refused("It is deleted.")
    world.record("post.edited", by=via, network=item.network, id=item.id, text=text)
    return item


def delete(world: World, item: Item, *, via: Via = "person") -> None:
    """Deletes an item; a Facebook post takes its comments with it. Deleting twice changes nothing."""
    if item.deleted:
        return
    gone = [item]
    if item.network == "facebook":
        gone += [below for below in world.below("facebook", item.id) if not below.deleted]
    world.record_all(
        {"kind": "post.deleted", "by": via, "network": item.network, "id": one.id, "cause": item.id} for one in gone
    )


def hide(world: World, item: Item, hidden: bool, *, via: Via = "api") -> None:
    world.record("post.hidden", by=via, network=item.network, id=item.id, hidden=hidden)


def like(world: World, item: Item, who: Member) -> None:
    if who.id not in (item.likes or []):
        world.record("post.liked", by="person", network=item.network, id=item.id, who=who.id)


def follow(world: World, who: Member, whom: Member, *, on: bool = True) -> None:
    if ((who.network, who.id, whom.id) in world.follows) != on:
        world.record("followed", network=who.network, who=who.id, whom=whom.id, on=on)
        change = {"followers": max(0, whom.followers + (1 if on else -1))}
        world.record("member.changed", network=whom.network, id=whom.id, changes=change)


def block(world: World, page: Member, who: Member, *, on: bool = True, via: Via = "api") -> None:
    """A Page keeps somebody from writing on it and to it, or lets them in again. Doing it twice changes nothing."""
    if (who.id in world.blocked.get(page.id, [])) != on:
        world.record("member.blocked", by=via, page=page.id, who=who.id, on=on)


def _not_blocked(world: World, page_id: str, author: Member) -> None:
    if author.id in world.blocked.get(page_id, []):
        raise Refused("The Page has blocked you.")


def change_member(world: World, member: Member, **changes: Any) -> None:
    """Protect, suspend, close direct messages, rename..."""
    world.record("member.changed", network=member.network, id=member.id, changes=changes)


# -- private --------------------------------------------------------------------------------------------------------
def x_conversation(one: str, other: str) -> str:
    return "-".join(sorted((one, other), key=int))


def send_message(
    world: World, sender: Member, recipient: Member, text: str, *, via: Via = "person", metadata: str = "",
    at: int | None = None, reply_to_item: str | None = None, tag: str = "", media: list[dict[str, Any]] | None = None,
) -> Message:  # fmt: skip
    """A direct message on X, a Messenger message on Facebook. Raises Refused for somebody whom the Page blocked."""
    if sender.network == "facebook":
        _not_blocked(world, recipient.id, sender)
    at = at or now_ms()
    number = world.snowflakes.take(at)
    if sender.network == "x":
        message_id, conversation = number, x_conversation(sender.id, recipient.id)
    else:
        page, user = (sender, recipient) if sender.brand else (recipient, sender)
        message_id = "m_" + ids.to_cursor("mid", number).rstrip(".")
        conversation = "t_" + ids.digits("thread", page.id, user.id, length=16)
    message = Message(
        sender.network, message_id, conversation, sender.id, recipient.id, text, at,
        via=via, metadata=metadata, media=media, reply_to_item=reply_to_item, tag=tag,
    )  # fmt: skip
    world.record("message.sent", by=via, message=lean(message))
    return world.messages[message_id]


def lean(thing: Item | Message) -> Record:
    """A thing for the journal: without the fields that stand at their default."""
    return {
        field.name: getattr(thing, field.name)
        for field in fields(thing)
        if field.default is MISSING or getattr(thing, field.name) != field.default
    }
