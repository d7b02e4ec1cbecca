"""The doors of X: reading posts, users and messages; writing, deleting, hiding."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from aiohttp import web

from .. import acts, ids, uploads
from .. import text as texts
from ..ledger import now_ms
from ..site import TOKEN, Site, serve, site_of
from ..things import Item, Member, Message, Timeline, Token
from ..world import mentioned
from . import asking, oauth, problems, search
from .asking import Ask, ask
from .limits import Window
from .problems import Problem
from .render import Renderer

JSON = dict[str, Any]
DAY_MS = 86_400_000
DUPLICATE = "You are not allowed to create a Tweet with duplicate content."
UNSUMMONED = (
    "Reply to this conversation is not allowed because you have not been mentioned or otherwise engaged by the author "
    "of the post you are replying to."
)
DUPLICATES_LOOKED_AT = 200
MOST_PICTURES = 4
LARGEST_PICTURE = 5 * 1024 * 1024  # bytes
LONGEST_ALT = 1000
USER_AUTH_ONLY = (
    "Authenticating with OAuth 2.0 Application-Only is forbidden for this endpoint.  Supported authentication types "
    "are [OAuth 1.0a User Context, OAuth 2.0 User Context]."
)


class Call:
    """One call of an endpoint: who calls, under which limits, what is asked for. Raises Problem."""

    def __init__(self, request: web.Request, family: str, *, scope: str = "", user_only: bool = False) -> None:
        self.request = request
        self.site: Site = site_of(request)
        self.world = self.site.world
        self.settings = self.world.settings["x"]
        self.query = request.query
        self.token = self._admit(scope, user_only)
        self.me = self.site.account(self.token)
        self.window = self._limit(family)

    def _admit(self, scope: str, user_only: bool) -> Token:
        token = self.request[TOKEN]
        if token is None or not token.works(now_ms()):
            raise problems.unauthorized()
        if user_only and token.kind == "app":
            raise Problem(403, "Unsupported Authentication", USER_AUTH_ONLY, kind="unsupported-authentication")
        account = self.site.account(token)
        if account is not None and account.suspended:
            raise problems.forbidden("Your account is suspended and is not permitted to access this feature.")
        if scope and token.kind == "user" and scope not in token.scopes:
            raise problems.forbidden(f"Your token lacks the scope {scope}.")
        return token

    def _limit(self, family: str) -> Window:
        window = self.site.limits.count(family, self.token.label, app=self.token.kind == "app")
        if window.remaining < 0 and self.settings["rate_limits"]:
            raise Problem(429, "Too Many Requests", "Too Many Requests", headers=window.headers)
        return window

    @property
    def account(self) -> Member:
        """Whom a user-context call speaks for."""
        if self.me is None:
            raise problems.unauthorized()
        return self.me

    def ask(self, expansions: frozenset[str]) -> Ask:
        return ask(self.query, self.settings["dialect"], expansions)

    def renderer(self, asked: Ask) -> Renderer:
        return Renderer(self.world, asked, self.site.base_url, self.me)

    def answer(self, body: JSON, status: int = 200) -> web.Response:
        return web.json_response(body, status=status, headers=self.window.headers)

    async def body(self) -> JSON:
        try:
            parsed = json.loads(await self.request.text() or "{}")
        except ValueError:
            raise problems.invalid("body", "", "The request body is not valid JSON") from None
        if not isinstance(parsed, dict):
            raise problems.invalid("body", "", "The request body is not a JSON object")
        return parsed

    def user(self, user_id: str, name: str = "id") -> Member:
        """Raises Problem as X does for a user that is not there."""
        member = self.world.member("x", asking.numeric_id(name, user_id))
        if member is None:
            raise NothingThere(problems.not_found(name, user_id, "user", self.dialect))
        return member

    @property
    def dialect(self) -> problems.Dialect:
        return asking.dialect_of(self.query, self.settings["dialect"])


class NothingThere(Exception):
    """Answered 200 with `errors` only, as X does for a single thing that is not there."""

    def __init__(self, error: JSON) -> None:
        super().__init__(error["detail"])
        self.error = error


Endpoint = Callable[[Call], Any]


def endpoint(family: str, *, scope: str = "", user_only: bool = False) -> Callable[[Endpoint], Any]:
    """Turns a function of a Call into a handler."""

    def wrap(function: Endpoint) -> Any:
        async def handle(request: web.Request) -> web.Response:
            call = Call(request, family, scope=scope, user_only=user_only)
            try:
                response: web.Response = await function(call)
            except NothingThere as nothing:
                response = call.answer({"errors": [nothing.error]})
            except Problem as problem:
                problem.headers = {**call.window.headers, **problem.headers}
                raise
            return response

        return handle

    return wrap


# -- users ----------------------------------------------------------------------------------------------------------
@endpoint("me", scope="users.read", user_only=True)
async def me(call: Call) -> web.Response:
    return call.answer(call.renderer(call.ask(asking.USER_EXPANSIONS)).one_user(call.account))


@endpoint("users", scope="users.read")
async def user(call: Call) -> web.Response:
    member = call.user(call.request.match_info["id"])
    return _one_user(call, member, "id", member.id)


@endpoint("users", scope="users.read")
async def user_by_username(call: Call) -> web.Response:
    username = call.request.match_info["username"]
    member = call.world.by_username("x", username)
    if member is None:
        raise NothingThere(problems.not_found("username", username, "user", call.dialect))
    return _one_user(call, member, "username", username)


def _one_user(call: Call, member: Member, parameter: str, value: str) -> web.Response:
    if member.suspended:
        raise NothingThere(_suspended(parameter, value, call.dialect))
    return call.answer(call.renderer(call.ask(asking.USER_EXPANSIONS)).one_user(member))


@endpoint("users", scope="users.read")
async def users(call: Call) -> web.Response:
    return _user_list(call, "ids", lambda value: call.world.member("x", asking.numeric_id("ids", value)))


@endpoint("users", scope="users.read")
async def users_by_usernames(call: Call) -> web.Response:
    return _user_list(call, "usernames", lambda value: call.world.by_username("x", value))


def _user_list(call: Call, parameter: str, find: Callable[[str], Member | None]) -> web.Response:
    values = _list_of(call, parameter)
    renderer = call.renderer(call.ask(asking.USER_EXPANSIONS))
    found = [(value, find(value)) for value in values]
    for value, member in found:
        if member is None:
            renderer.errors.append(problems.not_found(parameter, value, "user", call.dialect))
        elif member.suspended:
            renderer.errors.append(_suspended(parameter, value, call.dialect))
    return call.answer(renderer.user_list(member for _, member in found if member is not None and not member.suspended))


def _suspended(parameter: str, value: str, dialect: problems.Dialect) -> JSON:
    error = problems.not_found(parameter, value, "user", dialect)
    return error | {"title": "Forbidden", "detail": f"User has been suspended: [{value}]."}


def _list_of(call: Call, name: str) -> list[str]:
    values = [value for value in call.query.get(name, "").split(",") if value]
    if not 1 <= len(values) <= 100:
        raise problems.invalid(
            name, call.query.get(name, ""), f"The number of values in `{name}` is not between 1 and 100"
        )
    return values


# -- posts, one by one ----------------------------------------------------------------------------------------------
@endpoint("posts", scope="tweet.read")
async def posts(call: Call) -> web.Response:
    values = [asking.numeric_id("ids", value) for value in _list_of(call, "ids")]
    renderer = call.renderer(call.ask(asking.POST_EXPANSIONS))
    found: list[Item] = []
    for value in values:
        item = call.world.items["x"].get(value)
        if item is not None and _may_see(call, item):
            found.append(item)
        else:
            renderer.errors.append(_why_not(item, "ids", value, call.dialect))
    serve(call.request, "posts", [item.id for item in found])
    return call.answer(renderer.post_list(found))


@endpoint("posts", scope="tweet.read")
async def post(call: Call) -> web.Response:
    value = asking.numeric_id("id", call.request.match_info["id"])
    item = call.world.items["x"].get(value)
    if item is None or not _may_see(call, item):
        raise NothingThere(_why_not(item, "id", value, call.dialect))
    serve(call.request, "post", [item.id])
    return call.answer(call.renderer(call.ask(asking.POST_EXPANSIONS)).one_post(item))


def _may_see(call: Call, item: Item) -> bool:
    return call.world.visible(item) or (not item.deleted and call.me is not None and item.author == call.me.id)


def _why_not(item: Item | None, parameter: str, value: str, dialect: problems.Dialect) -> JSON:
    if item is None or item.deleted:
        return problems.not_found(parameter, value, "tweet", dialect)
    return problems.not_authorized(parameter, value, "tweet", dialect)


# -- lists of posts -------------------------------------------------------------------------------------------------
@endpoint("mentions", scope="tweet.read")
async def mentions(call: Call) -> web.Response:
    member = call.user(call.request.match_info["id"])
    timeline = call.world.mentioning.get(member.username.lower(), Timeline())
    return _post_page(
        call, "mentions", timeline, reach=call.settings["mention_limit"], bounds=(5, 100, 10), member=member
    )


@endpoint("timeline", scope="tweet.read")
async def timeline(call: Call) -> web.Response:
    member = call.user(call.request.match_info["id"])
    own = call.world.by_author.get(member.id, Timeline())
    without_replies = "replies" in call.query.get("exclude", "").split(",")
    return _post_page(
        call, "timeline", own, reach=call.settings["timeline_limit"], bounds=(5, 100, 10), member=member,
        test=(lambda item: item.parent is None) if without_replies else None,
    )  # fmt: skip


@endpoint("search", scope="tweet.read")
async def search_recent(call: Call) -> web.Response:
    given = call.query.get("query", "")
    try:
        query = search.parse(given)
    except search.BadQuery as error:
        raise problems.invalid("query", given, str(error)) from None
    source = _trees(call, query.conversations) if query.conversations else call.world.timeline
    days = call.settings["search_days"]
    oldest = now_ms() - days * DAY_MS if days else 0

    def test(item: Item) -> bool:
        return item.created >= oldest and query.test(call.world, item)

    return _post_page(call, "search", source, reach=None, bounds=(10, 100, 10), test=test)


def _trees(call: Call, roots: Iterable[str]) -> Timeline:
    """All posts of these conversations."""
    found = Timeline()
    for root_id in dict.fromkeys(roots):
        root = call.world.items["x"].get(root_id)
        versions = [version.id for version in call.world.versions(root)] if root else []
        for item_id in versions:
            found.add(item_id)
        for top in versions or [root_id]:
            for item in call.world.below("x", top):
                found.add(item.id)
    return found


def _post_page(
    call: Call, name: str, timeline: Timeline, *, reach: int | None, bounds: tuple[int, int, int],
    test: Callable[[Item], bool] | None = None, member: Member | None = None,
) -> web.Response:  # fmt: skip
    """One page of posts, newest first, with X's bounds and paging tokens."""
    asked = call.ask(asking.POST_EXPANSIONS)
    size = asking.number(call.query, "max_results", *bounds)
    below, above = _bounds(call)
    start, end = asking.moment(call.query, "start_time"), asking.moment(call.query, "end_time")

    def wanted(item_id: str) -> bool:
        item = call.world.items["x"][item_id]
        return (
            item.newer is None
            and _may_see(call, item)
            and (start is None or item.created >= start)
            and (end is None or item.created < end)
            and (test is None or test(item))
        )

    direction, edge = _page_token(call)
    if direction == "newer":
        newer = islice(filter(wanted, timeline.oldest_first(above=edge, reach=reach)), size)
        found, more = list(newer)[::-1], True
    else:
        skip = int(edge or 0) if direction == "skip" else 0
        edges = [one for one in (edge if direction == "older" else None, below) if one]
        limit = min(edges, key=int) if edges else None
        listed = filter(wanted, timeline.newest_first(below=limit, above=above, reach=reach))
        chosen = list(islice(listed, skip, skip + size + 1))
        found, more = chosen[:size], len(chosen) > size
    weather = call.site.weather
    account = call.token.account
    if more and weather.strikes("empty_page", "x", method="GET", path=call.request.path, account=account):
        again = str(int(found[0]) + 1)
        return call.answer({"meta": {"result_count": 0, "next_token": ids.to_cursor("older", again)}})
    if (
        more
        and member
        and weather.strikes("insert_while_paging", "x", method="GET", path=call.request.path, account=account)
    ):
        acts.post_on_x(call.world, _passer_by(call), f"@{member.username} written while you page {ids.secret()[:8]}")
    serve(call.request, name, found)
    body = call.renderer(asked).post_list([call.world.items["x"][one] for one in found])
    meta = _meta(found, more=more, paged=edge is not None and name != "search")
    if more and direction != "newer":
        if weather.strikes("offset_tokens", "x", method="GET", path=call.request.path, account=account):
            meta["next_token"] = ids.to_cursor("skip", str(skip + len(found)))
        if weather.strikes("delete_while_paging", "x", method="GET", path=call.request.path, account=account):
            acts.delete(call.world, call.world.items["x"][found[0]])
    return call.answer({**body, "meta": meta})


def _passer_by(call: Call) -> Member:
    known = call.world.by_username("x", "passer_by")
    return known or acts.create_person(call.world, handle="passer_by", name="Passer-by")["x"]


def _bounds(call: Call) -> tuple[str | None, str | None]:
    below, above = call.query.get("until_id"), call.query.get("since_id")
    for name, value in (("until_id", below), ("since_id", above)):
        if value is not None:
            asking.numeric_id(name, value)
    return below, above


def _page_token(call: Call) -> tuple[str, str | None]:
    """Direction and the id to go on from."""
    token = call.query.get("pagination_token") or call.query.get("next_token")
    if token is None:
        return "older", None
    try:
        direction, edge = ids.from_cursor(token)
    except ValueError:
        direction, edge = "", ""
    expired = call.site.weather.strikes("page_token_expired", "x", path=call.request.path, account=call.token.account)
    if expired or direction not in ("older", "newer", "skip") or not asking.NUMERIC_ID.fullmatch(edge):
        raise problems.invalid("pagination_token", token, "The `pagination_token` query parameter value is not valid")
    return direction, edge


def _meta(found: list[str], *, more: bool, paged: bool) -> JSON:
    meta: JSON = {"result_count": len(found)}
    if found:
        meta |= {"newest_id": found[0], "oldest_id": found[-1]}
        if more:
            meta["next_token"] = ids.to_cursor("older", found[-1])
        if paged:
            meta["previous_token"] = ids.to_cursor("newer", found[0])
    return meta


# -- writing posts --------------------------------------------------------------------------------------------------
@endpoint("post", scope="tweet.write", user_only=True)
async def create_post(call: Call) -> web.Response:
    asked = await call.body()
    text = asked.get("text", "")
    if not isinstance(text, str) or not text.strip():
        raise problems.invalid("text", str(text), "`text` is missing or empty")
    if texts.weighted_length(text) > texts.LIMIT and not call.account.verified:
        raise problems.invalid("text", "", f"The text is longer than {texts.LIMIT} weighted characters")
    parent = _named_post(call, asked.get("reply"), "in_reply_to_tweet_id")
    if parent is not None:
        _must_be_summoned(call, parent)
    previous = _named_post(call, asked.get("edit_options"), "previous_post_id")
    quoted = _named_post(call, asked, "quote_tweet_id")
    _must_be_new(call, text, parent)
    media = _pictures(call, asked.get("media"), "media_ids")
    item = _write(call, text, parent, quoted, previous, media=media)
    data: JSON = {"id": item.id, "text": item.text}
    if call.dialect == "tweet":
        data |= {"edit_history_tweet_ids": item.history or [item.id]}
    return call.answer({"data": data}, status=201)


def _pictures(call: Call, named: Any, name: str) -> list[JSON] | None:
    """The pictures that a request body names by their ids. Raises Problem."""
    wanted = named.get(name) if isinstance(named, dict) else None
    if wanted is None:
        return None
    if not isinstance(wanted, list) or not 1 <= len(wanted) <= MOST_PICTURES:
        raise problems.invalid(name, "", f"`{name}` names one to four media")
    try:
        return [uploads.of(call.world, call.account, str(one)).media for one in wanted]
    except acts.Refused:
        raise problems.invalid(name, str(wanted), "Your media IDs are invalid.") from None


def _write(
    call: Call, text: str, parent: Item | None, quoted: Item | None, previous: Item | None, *, media: list[JSON] | None
) -> Item:
    if previous is None:
        return acts.post_on_x(call.world, call.account, text, reply_to=parent, quoted=quoted, via="api", media=media)
    if previous.author != call.account.id:
        raise problems.forbidden("You are not permitted to perform this action.")
    try:
        return acts.edit_on_x(call.world, previous, text, via="api")
    except acts.Refused as refused:
        raise problems.forbidden(str(refused)) from None


def _named_post(call: Call, where: Any, name: str) -> Item | None:
    """The post that a request body names. Raises Problem for one that is not there."""
    value = where.get(name) if isinstance(where, dict) else None
    if value is None:
        return None
    item = call.world.items["x"].get(asking.numeric_id(name, str(value)))
    if item is None or not call.world.visible(item):
        raise problems.forbidden("You attempted to reply to a Tweet that is deleted or not visible to you.")
    return item


def _must_be_summoned(call: Call, parent: Item) -> None:
    """X since 2026-02-23, self-serve tiers: a reply by API only to those who mentioned or quoted us."""
    ours = parent.author == call.account.id
    named = call.account.username.lower() in mentioned(parent.text)
    quoted = call.world.items["x"].get(parent.quoted or "")
    if call.settings["reply_rule"] and not (ours or named or (quoted and quoted.author == call.account.id)):
        raise problems.forbidden(UNSUMMONED)


def _must_be_new(call: Call, text: str, parent: Item | None) -> None:
    whole = acts.with_names(call.world, call.account, text, parent) if parent else text
    recent = call.world.by_author.get(call.account.id, Timeline()).newest_first()
    for item_id in islice(recent, DUPLICATES_LOOKED_AT):
        item = call.world.items["x"][item_id]
        if item.text == whole and not item.deleted and item.newer is None:
            raise problems.forbidden(DUPLICATE)


@endpoint("delete", scope="tweet.write", user_only=True)
async def delete_post(call: Call) -> web.Response:
    item = call.world.items["x"].get(asking.numeric_id("id", call.request.match_info["id"]))
    if item is None or item.deleted:
        return call.answer({"data": {"deleted": False}})
    if item.author != call.account.id:
        raise problems.forbidden("You are not authorized to delete this Tweet.")
    acts.delete(call.world, item, via="api")
    return call.answer({"data": {"deleted": True}})


@endpoint("hide", scope="tweet.moderate.write", user_only=True)
async def hide_reply(call: Call) -> web.Response:
    item = call.world.items["x"].get(asking.numeric_id("tweet_id", call.request.match_info["id"]))
    hidden = (await call.body()).get("hidden")
    if not isinstance(hidden, bool):
        raise problems.invalid("hidden", str(hidden), "`hidden` is true or false")
    if item is None or item.deleted:
        raise problems.forbidden("Sorry, that Tweet is not there.")
    root = call.world.items["x"].get(call.world.root_of(item))
    if item.parent is None or root is None or root.author != call.account.id:
        raise problems.forbidden("You can only hide replies to conversations that you started.")
    acts.hide(call.world, item, hidden)
    return call.answer({"data": {"hidden": hidden}})


# -- direct messages ------------------------------------------------------------------------------------------------
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
    direction, edge = _page_token(call)
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
    meta = _meta([one.id for one in found], more=more, paged=edge is not None)
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
    media = _pictures(call, {"attachments": named}, "attachments")
    member = call.world.member("x", other)
    if member is None or member.suspended or member.id == call.account.id:
        raise problems.forbidden("You cannot send messages to this user.")
    if not (member.dm_open or ("x", member.id, call.account.id) in call.world.follows):
        raise problems.forbidden("You do not have permission to DM one or more participants.")
    sent = acts.send_message(call.world, call.account, member, text, via="api", media=media)
    data = {"dm_conversation_id": sent.conversation, "dm_event_id": sent.id}
    return call.answer({"data": data}, status=201)


# -- pictures -------------------------------------------------------------------------------------------------------
@endpoint("media", scope="media.write", user_only=True)
async def upload(call: Call) -> web.Response:
    asked = await call.body()
    if asked.get("media_category") not in ("tweet_image", "dm_image"):
        raise problems.invalid("media_category", str(asked.get("media_category")), "This is no category for pictures")
    try:
        content = base64.b64decode(str(asked.get("media", "")), validate=True)
        kept = uploads.keep(call.world, call.account, content, largest=LARGEST_PICTURE)
    except (binascii.Error, acts.Refused):
        raise problems.invalid("media", "", "The media cannot be read, or it is too large") from None
    data = {"id": kept.id, "media_key": f"3_{kept.id}", "size": kept.size, "expires_after_secs": 86_400}
    return call.answer({"data": data})


@endpoint("media", scope="media.write", user_only=True)
async def describe(call: Call) -> web.Response:
    asked = await call.body()
    metadata = asked.get("metadata")
    described = metadata.get("alt_text") if isinstance(metadata, dict) else None
    alt = described.get("text") if isinstance(described, dict) else None
    if not isinstance(alt, str) or len(alt) > LONGEST_ALT:
        raise problems.invalid("metadata", "", "`alt_text` is a text of at most 1000 characters")
    try:
        kept = uploads.of(call.world, call.account, asking.numeric_id("id", str(asked.get("id"))))
    except acts.Refused:
        raise problems.invalid("id", str(asked.get("id")), "There is no such media") from None
    call.world.record("media.described", by="api", id=kept.id, alt=alt)
    return call.answer({"data": {"id": kept.id, "associated_metadata": {"alt_text": {"text": alt}}}})


def routes() -> list[web.RouteDef]:
    get, put, send, delete = web.get, web.put, web.post, web.delete
    return [
        send("/x/2/oauth2/token", oauth.token),
        get("/x/2/users/me", me),
        get("/x/2/users", users),
        get("/x/2/users/by", users_by_usernames),
        get("/x/2/users/by/username/{username}", user_by_username),
        get("/x/2/users/{id}", user),
        get("/x/2/users/{id}/mentions", mentions),
        get("/x/2/users/{id}/tweets", timeline),
        get("/x/2/tweets/search/recent", search_recent),
        get("/x/2/tweets", posts),
        send("/x/2/tweets", create_post),
        get("/x/2/tweets/{id}", post),
        delete("/x/2/tweets/{id}", delete_post),
        put("/x/2/tweets/{id}/hidden", hide_reply),
        send("/x/2/media/upload", upload),
        send("/x/2/media/metadata", describe),
        get("/x/2/dm_events", messages),
        get("/x/2/dm_events/{id}", message),
        get("/x/2/dm_conversations/with/{id}/dm_events", messages_with),
        get("/x/2/dm_conversations/{id}/dm_events", messages_of_conversation),
        send("/x/2/dm_conversations/with/{id}/messages", send_to_person),
        send("/x/2/dm_conversations/{id}/messages", send_to_conversation),
    ]
