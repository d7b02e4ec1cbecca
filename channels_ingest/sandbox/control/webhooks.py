"""Where the networks push to, as one sets it in a developer console."""

from __future__ import annotations

from dataclasses import asdict

from ..acts import Refused
from ..ledger import now_ms
from ..sender import must_be_loopback
from ..things import App, Subscription, Webhook
from .asked import JSON, Asked

ALL_X_EVENTS = (
    "post.create", "post.delete", "post.mention.create", "post.reply.create", "post.quote.create", "dm.sent",
    "dm.received", "follow.follow", "follow.unfollow",
)  # fmt: skip
ALL_PAGE_FIELDS = ("feed", "mention", "messages", "message_echoes")


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
