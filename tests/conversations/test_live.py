from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from asgiref.testing import ApplicationCommunicator
from channels.layers import get_channel_layer
from django.contrib.auth.models import AnonymousUser
from redis.exceptions import ConnectionError as NoRedis

from accounts.models import User
from channels_ingest.models import Channel
from conversations import live
from conversations.models import Thread
from conversations.record import record
from tests.cast import said

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def in_memory(settings: Any) -> None:
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}


@pytest.fixture
def thread(channel: Channel) -> Thread:
    record(channel, [said("1")])
    return Thread.objects.get()


class Tab:
    """A browser tab's end of the socket."""

    end: Any  # asgiref's test client has no types

    def __init__(self, user: Any) -> None:
        scope = {"type": "websocket", "path": "/live/", "user": user}
        client: Any = ApplicationCommunicator
        self.end = client(live.LiveConsumer.as_asgi(), scope)

    async def open(self) -> bool:
        await self.end.send_input({"type": "websocket.connect"})
        answer = await self.end.receive_output(5)
        return bool(answer["type"] == "websocket.accept")

    async def say(self, message: Any) -> None:
        await self.end.send_input({"type": "websocket.receive", "text": json.dumps(message)})

    async def hear(self) -> Any:
        return json.loads((await self.end.receive_output(5))["text"])

    async def silence(self) -> bool:
        return bool(await self.end.receive_nothing(0.2))

    async def close(self) -> None:
        await self.end.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.end.wait(5)


async def tab(user: Any) -> Tab:
    opened = Tab(user)
    assert await opened.open()
    assert await opened.hear() == {"kind": "hello"}
    return opened


def run(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async_to_sync(story)()


def test_a_stranger_gets_no_socket(thread: Thread) -> None:
    async def story() -> None:
        assert not await Tab(AnonymousUser()).open()

    run(story)


def test_a_change_is_told_to_the_people_of_the_brand_only(thread: Thread, agent: User, stranger: User) -> None:
    async def story() -> None:
        ours, theirs = await tab(agent), await tab(stranger)
        message = {"kind": "changed", "threads": [thread.pk], "many": False}
        layer: Any = get_channel_layer()
        await layer.group_send(live.brand_group(thread.brand_id), {"type": "tell", "message": message})
        assert await ours.hear() == message
        assert await theirs.silence()
        await ours.close()
        await theirs.close()

    run(story)


def test_two_colleagues_see_each_other_on_a_thread(thread: Thread, agent: User, colleague: User) -> None:
    async def story() -> None:
        ana, ben = await tab(agent), await tab(colleague)
        await ana.say({"do": "watch", "thread": thread.pk})
        await ben.say({"do": "watch", "thread": thread.pk})
        seen, answered = await ana.hear(), await ben.hear()
        assert (seen["kind"], seen["who"]) == ("here", "Ben")
        assert (answered["kind"], answered["who"]) == ("here", "Ana")
        await ben.say({"do": "typing"})
        assert (await ana.hear())["kind"] == "typing"
        await ben.close()
        assert (await ana.hear())["kind"] == "left"
        await ana.close()

    run(story)


def test_ones_own_second_tab_is_no_colleague(thread: Thread, agent: User) -> None:
    async def story() -> None:
        first, second = await tab(agent), await tab(agent)
        await first.say({"do": "watch", "thread": thread.pk})
        await second.say({"do": "watch", "thread": thread.pk})
        assert await first.silence()
        await first.close()
        await second.close()

    run(story)


def test_a_thread_of_another_brand_cannot_be_watched(thread: Thread, agent: User, stranger: User) -> None:
    async def story() -> None:
        ana, spy = await tab(agent), await tab(stranger)
        await ana.say({"do": "watch", "thread": thread.pk})
        await spy.say({"do": "watch", "thread": thread.pk})
        assert await ana.silence()
        await ana.close()
        await spy.close()

    run(story)


@pytest.mark.parametrize("nonsense", [[], "x", {"do": "watch", "thread": "1; drop"}, {"do": 7}, {}])
def test_nonsense_is_passed_over(thread: Thread, agent: User, nonsense: Any) -> None:
    async def story() -> None:
        ana = await tab(agent)
        await ana.say(nonsense)
        await ana.say({"do": "ping"})
        assert await ana.hear() == {"kind": "pong"}
        await ana.close()

    run(story)


def test_without_redis_the_work_goes_on(channel: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    class Down:
        async def group_send(self, group: str, message: dict[str, Any]) -> None:
            raise NoRedis("down")

    monkeypatch.setattr(live, "get_channel_layer", Down)
    record(channel, [said("1")])
    assert Thread.objects.count() == 1
