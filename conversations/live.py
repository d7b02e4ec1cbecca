"""Live updates: a hint to open browsers that threads changed, and who is looking at the same thread.

Only hints travel here. A browser that misses one is right again after its next request.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from functools import partial
from typing import Any

from asgiref.sync import async_to_sync
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from channels.layers import get_channel_layer
from django.db import transaction
from redis.exceptions import RedisError

from accounts.models import User
from conversations.models import Thread
from conversations.seen import brand_ids

log = logging.getLogger(__name__)

MOST_IDS = 200  # a bigger change is announced as "many": browsers reload their list


def announce(brand_id: int, thread_ids: Collection[int], kind: str = "changed") -> None:
    """After the commit, tells the brand's open browsers that these threads changed."""
    if thread_ids:
        ids = sorted(thread_ids)[:MOST_IDS]
        many = len(thread_ids) > MOST_IDS
        transaction.on_commit(lambda: _send(brand_id, {"kind": kind, "threads": ids, "many": many}))


def _send(brand_id: int, message: dict[str, Any]) -> None:
    _send_to(brand_group(brand_id), message)


def _send_to(group: str, message: dict[str, Any]) -> None:
    layer = get_channel_layer()
    if layer is None:
        return
    try:
        async_to_sync(layer.group_send)(group, {"type": "tell", "message": message})
    except (RedisError, OSError) as error:
        log.info("No live update: %s", type(error).__name__)


def tell_users(user_ids: Collection[int]) -> None:
    """After the commit, tells the open browsers of these users that there is a notification."""
    for user_id in sorted(user_ids):
        transaction.on_commit(partial(_send_to, user_group(user_id), {"kind": "notice"}))


def user_group(user_id: int) -> str:
    return f"user.{user_id}"


def brand_group(brand_id: int) -> str:
    return f"brand.{brand_id}"


def thread_group(thread_id: int) -> str:
    return f"thread.{thread_id}"


class LiveConsumer(AsyncJsonWebsocketConsumer):
    """One browser tab. It hears of its user's brands; it may watch one thread and is then seen by the others there.

    From the browser: {"do": "watch", "thread": id}, {"do": "leave"}, {"do": "typing"}.
    To the browser: {"kind": "changed", "threads": [ids], "many": bool},
    {"kind": "notice"}, {"kind": "here"|"typing"|"left", "thread": id, "who": name, "tab": id}.
    """

    user: User
    brands: list[int]
    watching: int | None = None

    async def connect(self) -> None:
        user = self.scope.get("user")
        if not isinstance(user, User):
            await self.close(code=4401)
            return
        self.user = user
        self.brands = await database_sync_to_async(brand_ids)(user)
        for brand_id in self.brands:
            await self.channel_layer.group_add(brand_group(brand_id), self.channel_name)
        await self.channel_layer.group_add(user_group(user.pk), self.channel_name)
        await self.accept()
        await self.send_json({"kind": "hello"})

    async def disconnect(self, code: int) -> None:
        await self._leave()
        if hasattr(self, "user"):
            await self.channel_layer.group_discard(user_group(self.user.pk), self.channel_name)
        for brand_id in getattr(self, "brands", ()):
            await self.channel_layer.group_discard(brand_group(brand_id), self.channel_name)

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        if not isinstance(content, dict):
            return
        match content.get("do"):
            case "watch":
                await self._watch(content.get("thread"))
            case "typing" if self.watching is not None:
                await self._present("typing")
            case "leave":
                await self._leave()
            case "ping":
                await self.send_json({"kind": "pong"})

    async def _watch(self, thread_id: Any) -> None:
        if not isinstance(thread_id, int) or not await _may_see(self.user, thread_id):
            return
        if self.watching != thread_id:
            await self._leave()
            self.watching = thread_id
            await self.channel_layer.group_add(thread_group(thread_id), self.channel_name)
        await self._present("here", asking=True)

    async def _leave(self) -> None:
        if self.watching is not None:
            await self._present("left")
            await self.channel_layer.group_discard(thread_group(self.watching), self.channel_name)
            self.watching = None

    async def _present(self, kind: str, *, asking: bool = False) -> None:
        if self.watching is None:
            return
        await self.channel_layer.group_send(
            thread_group(self.watching),
            {
                "type": "presence",
                "kind": kind,
                "thread": self.watching,
                "who": str(self.user),
                "user": self.user.pk,
                "tab": self.channel_name,
                "asking": asking,
            },
        )

    async def presence(self, event: dict[str, Any]) -> None:
        """A colleague's tab came, types or left; one that just came is told that we are here."""
        if event["user"] == self.user.pk:
            return  # our own tabs are no colleagues
        await self.send_json({key: event[key] for key in ("kind", "thread", "who", "tab")})
        if event["asking"] and self.watching == event["thread"]:
            await self._present("here")

    async def tell(self, event: dict[str, Any]) -> None:
        await self.send_json(event["message"])


@database_sync_to_async
def _may_see(user: User, thread_id: int) -> bool:
    return Thread.objects.visible_to(user).filter(pk=thread_id).exists()
