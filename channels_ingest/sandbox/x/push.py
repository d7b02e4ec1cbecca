"""Registering webhooks and subscribing to activity on X."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from aiohttp import web

from .. import sender
from ..acts import Refused
from ..ledger import now_ms
from ..site import SENDER
from ..things import App, Subscription, Webhook
from . import asking, problems
from .call import USER_AUTH_ONLY, Call, endpoint
from .problems import Problem
from .render import iso

JSON = dict[str, Any]
PRIVATE = ("dm.", "post.mention", "post.reply", "post.quote", "post.delete", "follow.", "chat.")
EVENTS = frozenset(
    {"post.create", "post.delete", "post.mention.create", "post.reply.create", "post.quote.create"}
    | {"post.repost.create", "like.create", "dm.sent", "dm.received", "dm.read", "dm.indicate_typing"}
    | {"follow.follow", "follow.unfollow", "chat.received", "chat.sent", "profile.update.bio"}
    | {"profile.update.profile_picture", "profile.update.screenname", "profile.update.url"}
)
MOST_SUBSCRIPTIONS = 1500


def _app(call: Call) -> App:
    return call.world.apps["x", call.token.app]


def _app_only(call: Call) -> None:
    if call.token.kind != "app":
        raise Problem(403, "Unsupported Authentication", USER_AUTH_ONLY, kind="unsupported-authentication")


def shown_webhook(webhook: Webhook) -> JSON:
    return {"id": webhook.id, "url": webhook.url, "valid": webhook.valid, "created_at": iso(webhook.created)}


@endpoint("webhooks")
async def webhooks(call: Call) -> web.Response:
    _app_only(call)
    mine = [shown_webhook(one) for one in call.world.webhooks.values() if one.app == call.token.app]
    body: JSON = {"meta": {"result_count": len(mine)}}
    return call.answer({"data": mine, **body} if mine else body)


@endpoint("webhooks")
async def register(call: Call) -> web.Response:
    url = str((await call.body()).get("url", ""))
    try:
        sender.must_be_loopback(url)
    except Refused as refused:
        raise problems.invalid("url", url[:200], str(refused)) from None
    app = _app(call)
    if any(one.app == app.id and one.url == url for one in call.world.webhooks.values()):
        raise problems.invalid("url", url[:200], "DuplicateUrlFailed: this URL is registered already")
    if not await call.request.config_dict[SENDER].crc(app, url):
        raise problems.invalid("url", url[:200], "CrcValidationFailed: the challenge was not answered correctly")
    now = now_ms()
    webhook = Webhook(call.world.snowflakes.take(now), app.id, url, True, now)
    call.world.record("webhook.set", webhook=asdict(webhook))
    shown = shown_webhook(webhook)
    return call.answer({"data": shown} if call.dialect == "post" else shown)


def _mine(call: Call) -> Webhook:
    webhook_id = asking.numeric_id("webhook_id", call.request.match_info["id"])
    webhook = call.world.webhooks.get(webhook_id)
    if webhook is None or webhook.app != call.token.app:
        raise problems.invalid("webhook_id", webhook_id, "There is no such webhook")
    return webhook


@endpoint("webhooks")
async def challenge(call: Call) -> web.Response:
    valid = await call.request.config_dict[SENDER].check(_mine(call))
    return call.answer({"data": {"valid": valid} if call.dialect == "post" else {"attempted": True}})


@endpoint("webhooks")
async def unregister(call: Call) -> web.Response:
    call.world.record("webhook.removed", id=_mine(call).id)
    return call.answer({"data": {"deleted": True}})


# -- subscriptions --------------------------------------------------------------------------------------------------
def shown_subscription(one: Subscription) -> JSON:
    shown: JSON = {
        "subscription_id": one.id,
        "event_type": one.event_type,
        "filter": one.filter,
        "webhook_id": one.webhook,
        "created_at": iso(one.created),
        "updated_at": iso(one.updated),
    }
    return shown | ({"tag": one.tag} if one.tag else {})


def _own(call: Call) -> list[Subscription]:
    return [one for one in call.world.subscriptions.values() if one.app == call.token.app]


@endpoint("subscriptions")
async def subscriptions(call: Call) -> web.Response:
    asking.number(call.query, "max_results", 1, 1000, 1000)
    mine = _own(call)
    body: JSON = {"data": [shown_subscription(one) for one in mine]}
    return call.answer(body | ({"meta": {"result_count": len(mine)}} if call.dialect == "tweet" else {}))


@endpoint("subscriptions")
async def subscribe(call: Call) -> web.Response:
    asked = await call.body()
    event_type, wanted = asked.get("event_type"), asked.get("filter")
    if event_type not in EVENTS:
        raise problems.invalid("event_type", str(event_type)[:50], "`event_type` is not one of the known events")
    if not isinstance(wanted, dict) or not wanted or not set(wanted) <= {"user_id", "keyword", "direction"}:
        raise problems.invalid("filter", str(wanted)[:100], "`filter` needs user_id or keyword")
    user_id = asking.numeric_id("filter.user_id", str(wanted.get("user_id", "")))
    _must_be_granted(call, event_type, user_id)
    one = _new_subscription(call, asked, {name: str(value) for name, value in wanted.items()})
    known = [(other.event_type, other.filter, other.webhook) for other in _own(call)]
    if (one.event_type, one.filter, one.webhook) in known:
        raise problems.invalid("event_type", one.event_type, "DuplicateSubscription: it is subscribed already")
    if len(_own(call)) >= MOST_SUBSCRIPTIONS:
        raise problems.forbidden(f"At most {MOST_SUBSCRIPTIONS} subscriptions are allowed.")
    call.world.record("subscription.set", subscription=asdict(one))
    body: JSON = {"data": {"subscription": shown_subscription(one)}}
    return call.answer(body | ({"meta": {"total_subscriptions": len(_own(call))}} if call.dialect == "tweet" else {}))


def _new_subscription(call: Call, asked: JSON, wanted: dict[str, str]) -> Subscription:
    now, tag = now_ms(), str(asked.get("tag", ""))[:200]
    number = call.world.snowflakes.take(now)
    return Subscription(number, call.token.app, asked["event_type"], wanted, _webhook_for(call, asked), tag, now, now)


def _must_be_granted(call: Call, event_type: str, user_id: str) -> None:
    """Private events need the user's own grant to this app."""
    granted = call.token.account == user_id or any(
        token.app == call.token.app and token.works(now_ms()) for token in call.world.tokens_of("x", user_id)
    )
    if event_type.startswith(PRIVATE) and not granted:
        raise problems.forbidden("This event needs the user's authorization.")


def _webhook_for(call: Call, asked: JSON) -> str:
    given = asked.get("webhook_id")
    if given is None:
        mine = [one.id for one in call.world.webhooks.values() if one.app == call.token.app]
        if not mine:
            raise problems.invalid("webhook_id", "", "There is no webhook yet")
        return mine[0]
    webhook = call.world.webhooks.get(str(given))
    if webhook is None or webhook.app != call.token.app:
        raise problems.invalid("webhook_id", str(given)[:20], "There is no such webhook")
    return webhook.id


@endpoint("subscriptions")
async def unsubscribe(call: Call) -> web.Response:
    one = asking.numeric_id("subscription_id", call.request.match_info["id"])
    _forget(call, [one])
    return _deleted(call, {"deleted": True})


@endpoint("subscriptions")
async def unsubscribe_many(call: Call) -> web.Response:
    wanted = [asking.numeric_id("ids", one) for one in call.query.get("ids", "").split(",")]
    gone = _forget(call, wanted)
    return _deleted(
        call,
        {"deleted": True} if call.dialect == "tweet" else [{"subscription_id": one, "deleted": True} for one in gone],
    )


def _forget(call: Call, wanted: list[str]) -> list[str]:
    mine = {one.id for one in _own(call)}
    gone = [one for one in wanted if one in mine]
    for one in gone:
        call.world.record("subscription.removed", id=one)
    return gone


def _deleted(call: Call, data: Any) -> web.Response:
    meta = {"meta": {"total_subscriptions": len(_own(call))}} if call.dialect == "tweet" else {}
    return call.answer({"data": data, **meta})


def routes() -> list[web.RouteDef]:
    hooks, subs = "/x/2/webhooks", "/x/2/activity/subscriptions"
    return [
        web.get(hooks, webhooks),
        web.post(hooks, register),
        web.put(hooks + "/{id}", challenge),
        web.delete(hooks + "/{id}", unregister),
        web.get(subs, subscriptions),
        web.post(subs, subscribe),
        web.delete(subs, unsubscribe_many),
        web.delete(subs + "/{id}", unsubscribe),
    ]
