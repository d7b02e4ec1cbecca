"""The control API: JSON for tests, for loading data and for connecting a channel in one click. See README.md."""

from __future__ import annotations

from aiohttp import web

from . import accounts, deeds, loading, switches, webhooks
from .asked import endpoint


def routes() -> list[web.RouteDef]:
    get, send, drop, change = web.get, web.post, web.delete, web.patch
    base, net = "/control", "/control/{network:x|facebook}"
    return [
        get(base + "/state", endpoint(accounts.state)),
        get(base + "/brands", endpoint(accounts.list_brands)),
        send(base + "/people", endpoint(accounts.create_person)),
        send(net + "/brands", endpoint(accounts.create_brand)),
        get(net + "/brands/{id}", endpoint(accounts.show_brand)),
        send(net + "/brands/{id}/token", endpoint(accounts.change_token)),
        change(net + "/members/{id}", endpoint(accounts.change_member)),
        send(net + "/webhook", endpoint(webhooks.set_webhook)),
        send(net + "/webhook/loss", endpoint(webhooks.lose_webhook)),
        send(net + "/posts", endpoint(deeds.post)),
        get(net + "/posts/{id}", endpoint(deeds.show_item)),
        change(net + "/posts/{id}", endpoint(deeds.edit)),
        drop(net + "/posts/{id}", endpoint(deeds.delete)),
        send(net + "/posts/{id}/likes", endpoint(deeds.like)),
        send(net + "/messages", endpoint(deeds.message)),
        send(net + "/follows", endpoint(deeds.follow)),
        send(base + "/x/load", endpoint(loading.load)),
        get(base + "/switches", endpoint(switches.switches)),
        send(base + "/switches", endpoint(switches.add_switch)),
        drop(base + "/switches", endpoint(switches.clear_switches)),
        drop(base + "/switches/{id:\\d+}", endpoint(switches.remove_switch)),
        get(base + "/settings", endpoint(switches.settings)),
        change(base + "/settings", endpoint(switches.change_settings)),
        get(base + "/ledger", endpoint(switches.ledger)),
    ]
