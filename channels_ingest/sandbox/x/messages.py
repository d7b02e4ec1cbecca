"""Direct messages of X: reading and sending."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from aiohttp import web

from .. import acts
from ..ledger import now_ms
from ..site import serve
from ..things import Message
from . import asking, problems
from .call import Call, endpoint
from .paging import meta_of, page_token
from .posts import DAY_MS
from .problems import Problem
from .writing import pictures


@endpoint("dm_read", scope="dm.read", user_only=True)
async def messages(call: Call) -> web.Response:
    return _message_page(call, call.world.mailbox.get(("x", call.account.id), []))


@endpoint("dm_read", scope="dm.read", user_only=True)
async def messages_with(call: Call) -> web.Response:
    other = asking.numeric_id("participant_id", call.request.match_info["id"])
    conversation = acts.x_conversation(call.account.id, other)
    return _message_page(call, call.world.conversations.get(("x", conversation), []))


@endpoint("dm_read", scope="dm.read", user_only=True)
async def messages_of_conversation(call: Call) -> web.Response:
    conversation = call.request.match_info["id"]
    _must_take_part(call, conversation)
    return _message_page(call, call.world.conversations.get(("x", conversation), []))


@endpoint("dm_read", scope="dm.read", user_only=True)
async def message(call: Call) -> web.Response:
    value = asking.numeric_id("event_id", call.request.match_info["id"])
    found = call.world.messages.get(value)
    if found is None or found.deleted or call.account.id not in (found.sender, found.recipient):
        raise Problem(404, "Not Found Error", f"Could not find dm event [{value}].", kind="resource-not-found",
                      parameter="event_id", value=value, resource_id=value, resource_type="tweet")  # fmt: skip
    body = call.renderer(call.ask(asking.DM_EXPANSIONS)).message_list([found])
    return call.answer({**body, "data": body["data"][0]})


def _must_take_part(call: Call, conversation: str) -> None:
    if call.account.id not in conversation.split("-"):
        raise problems.forbidden("You are not permitted to see this conversation.")


def _message_page(call: Call, message_ids: list[str]) -> web.Response:
    asked = call.ask(asking.DM_EXPANSIONS)
    size = asking.number(call.query, "max_results", 1, 100, 100)
    types = call.query.get("event_types", "MessageCreate").split(",")
    direction, edge = page_token(call)
    oldest = now_ms() - call.settings["dm_days"] * DAY_MS
    usable = _messages(call, message_ids, oldest) if "MessageCreate" in types else iter(())
    if direction == "newer":
        found = [one for one in usable if int(one.id) > int(edge or 0)][-size:]
        more = True
    else:
        chosen = list(islice((one for one in usable if edge is None or int(one.id) < int(edge)), size + 1))
        found, more = chosen[:size], len(chosen) > size
    serve(call.request, "dm_events", [one.id for one in found])
    body = call.renderer(asked).message_list(found)
    meta = meta_of([one.id for one in found], more=more, paged=edge is not None)
    meta = {name: value for name, value in meta.items() if name not in ("newest_id", "oldest_id")}
    return call.answer({**body, "meta": meta})


def _messages(call: Call, message_ids: list[str], oldest: int) -> Iterator[Message]:
    for message_id in sorted(message_ids, key=int, reverse=True):
        found = call.world.messages[message_id]
        if not found.deleted and found.created >= oldest:
            yield found


@endpoint("dm_send", scope="dm.write", user_only=True)
async def send_to_person(call: Call) -> web.Response:
    other = asking.numeric_id("participant_id", call.request.match_info["id"])
    return await _send(call, other)


@endpoint("dm_send", scope="dm.write", user_only=True)
async def send_to_conversation(call: Call) -> web.Response:
    conversation = call.request.match_info["id"]
    _must_take_part(call, conversation)
    one, _, other = conversation.partition("-")
    return await _send(call, other if one == call.account.id else one)


async def _send(call: Call, other: str) -> web.Response:
    asked = await call.body()
    text = asked.get("text")
    if not isinstance(text, str) or not text.strip():
        raise problems.invalid("text", str(text), "`text` is missing or empty")
    attached = asked.get("attachments")
    named = [one.get("media_id") for one in attached if isinstance(one, dict)] if isinstance(attached, list) else None
    media = pictures(call, {"attachments": named}, "attachments")
    member = call.world.member("x", other)
    if member is None or member.suspended or member.id == call.account.id:
        raise problems.forbidden("You cannot send messages to this user.")
    if not (member.dm_open or ("x", member.id, call.account.id) in call.world.follows):
        raise problems.forbidden("You do not have permission to DM one or more participants.")
    sent = acts.send_message(call.world, call.account, member, text, via="api", media=media)
    data = {"dm_conversation_id": sent.conversation, "dm_event_id": sent.id}
    return call.answer({"data": data}, status=201)
