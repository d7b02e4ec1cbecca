"""The doors of Graph: nodes and edges, by any living version."""

from __future__ import annotations

import hmac
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from .. import acts, ids, uploads
from ..ledger import now_ms
from ..sender import must_be_loopback
from ..site import SENDER, TOKEN, serve, site_of
from ..things import App, Item, Member, Message, Token
from . import documented, errors
from .errors import GraphError
from .fields import Field, parse
from .render import PRIVATE_REPLY_MS, Renderer

JSON = dict[str, Any]
OLDEST_LIVING, NEWEST = 21.0, 26.0  # calls to dead versions are answered by the oldest living one
FREE_MS, HUMAN_MS = 86_400_000, 7 * 86_400_000
OUTSIDE_WINDOW = "(#10) This message is sent outside of allowed window."
TEXT_LIMIT, COMMENT_LIMIT = 2000, 8000
LARGEST_PHOTO = 4 * 1024 * 1024  # bytes
EDGES = ("feed", "posts", "published_posts", "visitor_posts", "tagged")


class Call:
    """One call: parameters from query and body, the token, the Page it speaks for. Raises GraphError."""

    def __init__(self, request: web.Request, given: dict[str, str]) -> None:
        self.request = request
        self.site = site_of(request)
        self.world = self.site.world
        self.given = given
        self.version = _version(request.match_info["version"])
        self.token = self._admit()
        self.page = self._page()

    def _admit(self) -> Token:
        token = self.request[TOKEN] or self.site.token(self.given.get("access_token", ""), "facebook")
        if token is None:
            raise errors.dead_token(None)
        if token.dead:
            raise errors.dead_token(token.dead.get("subcode"))
        self.request[TOKEN] = token
        return token

    def _page(self) -> Member:
        page = self.site.account(self.token)
        if page is None:
            raise errors.dead_token(None)
        if page.suspended:
            raise GraphError("(#368) The action attempted has been deemed abusive or is otherwise disallowed", 368)
        return page

    def need(self, scope: str) -> None:
        if scope not in self.token.scopes:
            raise errors.no_permission(scope)

    @property
    def fields(self) -> list[Field]:
        return parse(self.given.get("fields", ""))

    @property
    def options(self) -> dict[str, str]:
        kept = ("fields", "limit", "after", "before", "since", "until", "filter", "order", "summary")
        return {name: self.given[name] for name in kept if name in self.given}

    def renderer(self) -> Renderer:
        return Renderer(self.site, self.page, f"{self.site.base_url}/graph/v{self.version:.1f}")

    def answer(self, body: Any) -> web.Response:
        return web.json_response(body, headers=self._usage())

    def _usage(self) -> dict[str, str]:
        calls = min(99, self.site.calls.count % 100)
        usage = {"call_count": calls, "total_cputime": calls // 4, "total_time": calls // 4}
        business = {self.page.id: [{"type": "pages", **usage, "estimated_time_to_regain_access": 0}]}
        return {
            "X-App-Usage": json.dumps(usage),
            "X-Business-Use-Case-Usage": json.dumps(business),
            "facebook-api-version": f"v{self.version:.1f}",
        }

    def member(self, node: str) -> Member | None:
        """A Page by id, a person by page-scoped id."""
        member = self.world.member("facebook", node)
        if member is not None and member.brand:
            return member
        page, user = self.world.psids.get(node, ("", ""))
        return self.world.member("facebook", user) if page == self.page.id else None

    def item(self, node: str) -> Item:
        """Raises GraphError (100/33) for one that is not there, or not on our Page."""
        item = self.world.items["facebook"].get(node)
        if item is None or not self.world.visible(item) or item.page != self.page.id:
            raise errors.gone(node)
        return item


def _version(given: str) -> float:
    number = float(given.removeprefix("v"))
    if number > NEWEST:
        raise GraphError(f"(#2635) You are calling an unknown version of the Graph API ({given}).", 2635)
    return max(number, OLDEST_LIVING)


Handler = Callable[[Call, str], Awaitable[Any]]


async def _parameters(request: web.Request) -> dict[str, str]:
    given = dict(request.query)
    uploads_a_file = request.content_type == "multipart/form-data"  # which can be read once only
    if request.method == "GET" or not (uploads_a_file or await request.read()):
        return given
    if request.content_type == "application/json":
        try:
            parsed = await request.json()
        except ValueError:
            raise errors.bad_parameter("Invalid JSON in body") from None
        body = parsed if isinstance(parsed, dict) else {}
        return given | {name: one if isinstance(one, str) else json.dumps(one) for name, one in body.items()}
    return given | {name: str(value) for name, value in (await request.post()).items()}


def endpoint(function: Handler) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        call = Call(request, await _parameters(request))
        node = request.match_info.get("node", "me")
        body = await function(call, call.page.id if node == "me" else node)
        return call.answer(body)

    return handle


# -- reading --------------------------------------------------------------------------------------------------------
@endpoint
async def node(call: Call, name: str) -> Any:
    renderer = call.renderer()
    member = call.member(name)
    if member is not None:
        return renderer.page_node(member, call.fields) if member.brand else renderer.person(member, call.fields)
    if name.startswith("t_"):
        _own_conversation(call, name)
        return renderer.conversation(name, call.fields)
    body = renderer.message(_own_message(call, name), call.fields) if name.startswith("m_") else None
    if body is None:
        body = renderer.item(call.item(name), call.fields)
    serve(call.request, "node", renderer.shown)
    return body


@endpoint
async def several(call: Call, _node: str) -> Any:
    """`GET /?ids=a,b`: an object by id; as on Graph, one missing id fails the whole call."""
    renderer = call.renderer()
    wanted = [one for one in call.given.get("ids", "").split(",") if one]
    if not wanted or len(wanted) > 50:
        raise errors.bad_parameter("The parameter ids is required (at most 50)")
    body = {one: renderer.item(call.item(one), call.fields) for one in wanted}
    serve(call.request, "ids", renderer.shown)
    return body


@endpoint
async def edge(call: Call, name: str) -> Any:
    wanted = call.request.match_info["edge"]
    if wanted in EDGES and name == call.page.id:
        return _posts(call, wanted)
    of_the_page = {"conversations": _conversations, "subscribed_apps": _subscribed, "blocked": _blocked}
    if wanted in of_the_page and name == call.page.id:
        return of_the_page[wanted](call)
    if wanted == "messages" and name.startswith("t_"):
        return _messages(call, name)
    if wanted == "picture":
        return _picture(call, name)
    return _edge_of_item(call, call.item(name), wanted)


def _edge_of_item(call: Call, item: Item, wanted: str) -> Any:
    if wanted == "comments":
        return _comments(call, item)
    known = documented.COMMENT_EDGES if item.post else documented.POST_EDGES
    if wanted not in known:
        raise GraphError(f"(#2500) Unknown path components: /{wanted}", 2500)
    body = call.renderer().item(item, [Field(wanted)]) if wanted in ("likes", "reactions", "attachments", "to") else {}
    return body.get(wanted, {"data": []})


def _comments(call: Call, item: Item) -> Any:
    call.need("pages_read_user_content")
    renderer = call.renderer()
    body = renderer.comments(item, call.options, call.fields)
    _stir(call, body, item)
    serve(call.request, "comments", renderer.shown)
    return body


def _posts(call: Call, wanted: str) -> Any:
    call.need("pages_read_engagement")
    renderer = call.renderer()
    mine = [call.world.items["facebook"][one] for one in call.world.page_posts.get(call.page.id, [])]
    chosen = [item for item in mine if call.world.visible(item) and _belongs(item, wanted, call.page)]
    chosen.sort(key=lambda item: int(item.id.split("_")[1]), reverse=True)
    fields = call.fields
    body = renderer.listing(chosen, lambda one: renderer.item(one, fields), call.options, f"{call.page.id}/{wanted}")
    _stir(call, body, None)
    serve(call.request, wanted, renderer.shown)
    return body


def _belongs(item: Item, wanted: str, page: Member) -> bool:
    ours = item.author == page.id
    tagged = not item.id.startswith(page.id + "_")
    if wanted in ("posts", "published_posts"):
        return ours
    if wanted == "visitor_posts":
        return not ours and not tagged
    return tagged if wanted == "tagged" else True


def _stir(call: Call, body: JSON, item: Item | None) -> None:
    """Weather: something is written while someone pages."""
    if "next" not in body.get("paging", {}):
        return
    weather = call.site.weather
    if weather.strikes("insert_while_paging", "facebook", method="GET", path=call.request.path, account=call.page.id):
        known = call.world.by_username("facebook", "passer_by")
        person = known or acts.create_person(call.world, handle="passer_by", name="Passer-by")["facebook"]
        text = f"written while you page {ids.secret()[:8]}"
        if item is None:
            acts.post_on_page(call.world, call.page, person, text)
        else:
            acts.comment(call.world, item, person, text)


def _conversations(call: Call) -> Any:
    call.need("pages_messaging")
    if call.given.get("platform", "messenger") != "messenger":
        return {"data": []}
    renderer = call.renderer()
    mine = {call.world.messages[one].conversation for one in call.world.mailbox.get(("facebook", call.page.id), [])}
    wanted = call.given.get("user_id")
    if wanted:
        mine = {one for one in mine if renderer.scoped(renderer.partner(one)) == wanted}
    newest_first = sorted(mine, key=lambda one: (renderer.last_of(one).created, one), reverse=True)
    fields = call.fields
    edge_path = f"{call.page.id}/conversations"
    body = renderer.listing(newest_first, lambda one: renderer.conversation(one, fields), call.options, edge_path)
    serve(call.request, "conversations", renderer.shown)
    return body


def _own_conversation(call: Call, conversation: str) -> None:
    found = call.world.conversations.get(("facebook", conversation))
    if not found or call.page.id not in call.world.page_and_user(call.world.messages[found[0]]):
        raise errors.gone(conversation)


def _own_message(call: Call, message_id: str) -> Message:
    message = call.world.messages.get(message_id)
    if message is None or message.deleted or call.page.id not in (message.sender, message.recipient):
        raise errors.gone(message_id)
    return message


def _messages(call: Call, conversation: str) -> Any:
    call.need("pages_messaging")
    _own_conversation(call, conversation)
    renderer = call.renderer()
    body = renderer.messages(conversation, call.options, call.fields)
    serve(call.request, "messages", renderer.shown)
    return body


def _subscribed(call: Call) -> Any:
    fields = call.world.page_subscriptions.get(call.page.id)
    if not fields:
        return {"data": []}
    return {
        "data": [{"id": call.token.app, "name": "Sandbox app", "link": "", "category": "", "subscribed_fields": fields}]
    }


def _picture(call: Call, name: str) -> Any:
    member = call.member(name)
    if member is None:
        raise errors.gone(name)
    renderer = call.renderer()
    wanted = [Field("picture")]
    shown = renderer.page_node(member, wanted) if member.brand else renderer.person(member, wanted)
    if call.given.get("redirect") in ("0", "false"):
        return shown["picture"]
    raise web.HTTPFound(shown["picture"]["data"]["url"])


# -- writing --------------------------------------------------------------------------------------------------------
@endpoint
async def write(call: Call, name: str) -> Any:
    """POST on a node: hide or show a comment, edit our own."""
    item = call.item(name)
    if "is_hidden" in call.given:
        return _hide(call, item)
    if "message" in call.given:
        call.need("pages_manage_engagement")
        if item.author != call.page.id:
            raise errors.no_permission("pages_manage_engagement")
        acts.edit(call.world, item, call.given["message"], via="api")
        return {"success": True}
    raise errors.bad_parameter("The parameter message or is_hidden is required")


def _hide(call: Call, item: Item) -> Any:
    call.need("pages_manage_engagement")
    wanted = call.given["is_hidden"].lower()
    if wanted not in ("true", "false", "1", "0"):
        raise errors.bad_parameter("Param is_hidden must be a boolean")
    if item.author == call.page.id:
        raise GraphError("(#100) You can't hide your own comment", 100)
    acts.hide(call.world, item, wanted in ("true", "1"))
    return {"success": True}


@endpoint
async def write_edge(call: Call, name: str) -> Any:
    wanted = call.request.match_info["edge"]
    to_the_page = {"feed": _publish, "subscribed_apps": _subscribe, "blocked": _block}
    if wanted in to_the_page and name == call.page.id:
        return to_the_page[wanted](call)
    if wanted == "messages" and name == call.page.id:
        return await _send(call)
    if wanted == "photos" and name == call.page.id:
        return await _photo(call)
    if wanted == "comments":
        return _comment(call, call.item(name))
    if wanted == "likes":
        call.need("pages_manage_engagement")
        acts.like(call.world, call.item(name), call.page)
        return {"success": True}
    raise GraphError(f"(#2500) Unknown path components: /{wanted}", 2500)


def _text(call: Call, limit: int) -> str:
    text = call.given.get("message", "")
    if not text.strip():
        raise errors.bad_parameter("The parameter message is required")
    if len(text) > limit:
        raise errors.bad_parameter(f"Param message must be at most {limit} characters long")
    return text


def _comment(call: Call, parent: Item) -> Any:
    call.need("pages_manage_engagement")
    attached = call.given.get("attachment_id")
    try:
        media = [uploads.of(call.world, call.page, attached).media] if attached else None
    except acts.Refused:
        raise errors.bad_parameter("Param attachment_id must be a valid photo id") from None
    made = acts.comment(call.world, parent, call.page, _text(call, COMMENT_LIMIT), via="api", media=media)
    return {"id": made.id}


async def _photo(call: Call) -> Any:
    """https://developers.facebook.com/docs/graph-api/reference/page/photos: unpublished, to be attached."""
    call.need("pages_manage_posts")
    source = (await call.request.post()).get("source")
    if call.given.get("published") != "false" or not isinstance(source, web.FileField):
        raise errors.bad_parameter("Param source must be a file, and published false")
    try:
        return {"id": uploads.keep(call.world, call.page, source.file.read(), largest=LARGEST_PHOTO).id}
    except acts.Refused:
        raise errors.bad_parameter("Invalid parameter: the photo cannot be read, or it is too large") from None


def _publish(call: Call) -> Any:
    call.need("pages_manage_posts")
    made = acts.post_on_page(call.world, call.page, call.page, _text(call, 63_206), via="api")
    return {"id": made.id}


def _subscribe(call: Call) -> Any:
    call.need("pages_manage_metadata")
    fields = [one for one in call.given.get("subscribed_fields", "").replace(" ", "").split(",") if one]
    if not fields:
        raise errors.bad_parameter("Param subscribed_fields must be non-empty.")
    call.world.record("page.subscribed", page=call.page.id, app=call.token.app, fields=fields)
    return {"success": True}


@endpoint
async def remove(call: Call, name: str) -> Any:
    item = call.item(name)
    call.need("pages_manage_engagement")
    if item.post is None and item.author != call.page.id and not item.id.startswith(call.page.id):
        raise errors.no_permission("pages_manage_posts")
    acts.delete(call.world, item, via="api")
    return {"success": True}


@endpoint
async def remove_edge(call: Call, name: str) -> Any:
    if call.request.match_info["edge"] == "subscribed_apps" and name == call.page.id:
        call.world.record("page.subscribed", page=call.page.id, app=call.token.app, fields=[])
        return {"success": True}
    if call.request.match_info["edge"] == "blocked" and name == call.page.id:
        for who in _people_named(call).values():
            acts.block(call.world, call.page, who, on=False)
        return {"success": True}
    raise GraphError("(#100) Unsupported delete request.", 100, 33)


# -- blocking -------------------------------------------------------------------------------------------------------
def _blocked(call: Call) -> Any:
    """https://developers.facebook.com/docs/graph-api/reference/page/blocked"""
    call.need("pages_manage_engagement")
    found = [call.world.member("facebook", one) for one in call.world.blocked.get(call.page.id, [])]
    return {"data": [{"id": call.world.know(call.page.id, one.id), "name": one.name} for one in found if one]}


def _people_named(call: Call) -> dict[str, Member]:
    """The people that `user` or `psid` names (one, several with commas, or a JSON list), by the id that was given."""
    for scope in ("pages_manage_engagement", "pages_messaging"):
        call.need(scope)
    given = call.given.get("user") or call.given.get("psid") or ""
    named = [one.strip(' "') for one in given.strip("[]").split(",") if one.strip(' "')]
    if not named:
        raise errors.bad_parameter("The parameter user is required")
    people = {one: call.member(one) for one in named}
    unknown = [one for one, member in people.items() if member is None or member.brand]
    if unknown:
        raise errors.bad_parameter(f"Param user must be a list of valid user ids, not {unknown[0]}")
    return {one: member for one, member in people.items() if member is not None}


def _block(call: Call) -> Any:
    people = _people_named(call)
    for who in people.values():
        acts.block(call.world, call.page, who)
    return dict.fromkeys(people, True)


# -- Messenger ------------------------------------------------------------------------------------------------------
async def _send(call: Call) -> Any:
    call.need("pages_messaging")
    recipient, content = _json(call, "recipient"), _json(call, "message")
    if "sender_action" in call.given and not content:
        return {"recipient_id": recipient.get("id", "")}
    picture = await _attached(call, content)
    _message_text(content, picture)
    if "comment_id" in recipient or "post_id" in recipient:
        return _private_reply(call, str(recipient.get("comment_id") or recipient["post_id"]), content, picture)
    user = _recipient(call, recipient)
    _inside_window(call, user)
    return _sent(call, user, content, picture)


async def _attached(call: Call, content: JSON) -> bytes | None:
    """The picture that comes with the call itself, as the file `filedata`; the sandbox fetches none by its address."""
    attachment = content.get("attachment")
    if attachment is None:
        return None
    given = (await call.request.post()).get("filedata") if "filedata" in call.given else None
    if not isinstance(attachment, dict) or attachment.get("type") != "image" or not isinstance(given, web.FileField):
        raise errors.bad_parameter("Param message[attachment] must be an image, given as the file filedata")
    return given.file.read()


def _message_text(content: JSON, picture: bytes | None) -> None:
    """https://developers.facebook.com/docs/messenger-platform/reference/send-api: either a text or an attachment."""
    text = content.get("text")
    if picture is not None:
        if text is not None:
            raise errors.bad_parameter("Param message must not contain both a text and an attachment")
        return
    if not isinstance(text, str) or not text.strip():
        raise errors.bad_parameter("Param message must contain a text or an attachment")
    if len(text) > TEXT_LIMIT:
        raise errors.bad_parameter("Length of param message[text] must be less than or equal to 2000")


def _json(call: Call, name: str) -> JSON:
    try:
        parsed = json.loads(call.given.get(name, "{}"))
    except ValueError:
        raise errors.bad_parameter(f"Param {name} must be valid JSON") from None
    if not isinstance(parsed, dict):
        raise errors.bad_parameter(f"Param {name} must be an object")
    return parsed


def _recipient(call: Call, recipient: JSON) -> Member:
    user = call.member(str(recipient.get("id", "")))
    if user is None or user.brand:
        raise GraphError("(#100) No matching user found", 100, 2018001)
    if not user.dm_open:
        raise GraphError("(#551) This person isn't available right now.", 551, 1545041)
    return user


def _inside_window(call: Call, user: Member) -> None:
    """https://developers.facebook.com/docs/messenger-platform/policy/policy-overview: 24 hours; 7 days by a human."""
    tag = call.given.get("tag", "")
    if call.given.get("messaging_type") == "MESSAGE_TAG" and tag != "HUMAN_AGENT":
        raise errors.bad_parameter(f"Invalid message tag {tag}")
    if not call.world.settings["facebook"]["windows"]:
        return
    mailbox = call.world.mailbox.get(("facebook", call.page.id), [])
    theirs = [call.world.messages[one].created for one in mailbox if call.world.messages[one].sender == user.id]
    allowed = HUMAN_MS if tag == "HUMAN_AGENT" else FREE_MS
    if not theirs or now_ms() - max(theirs) > allowed:
        raise GraphError(OUTSIDE_WINDOW, 10, 2018278)


def _private_reply(call: Call, item_id: str, content: JSON, picture: bytes | None) -> Any:
    """One message to the author of a comment or post, within seven days."""
    item = call.item(item_id)
    user = call.world.member("facebook", item.author)
    if user is None or user.brand:
        raise errors.bad_parameter("You cannot reply privately to a Page")
    mailbox = call.world.mailbox.get(("facebook", call.page.id), [])
    if any(call.world.messages[one].reply_to_item == item.id for one in mailbox):
        raise GraphError("(#10900) Activity already replied to", 10900)
    if call.world.settings["facebook"]["windows"] and now_ms() - item.created > PRIVATE_REPLY_MS:
        raise GraphError("(#10901) Activity is too old to reply to", 10901)
    return _sent(call, user, content, picture, reply_to_item=item.id)


def _sent(call: Call, user: Member, content: JSON, picture: bytes | None, reply_to_item: str | None = None) -> Any:
    message = acts.send_message(
        call.world, call.page, user, content.get("text", ""), via="api",
        metadata=str(content.get("metadata", ""))[:1000], media=_kept(call, picture),
        reply_to_item=reply_to_item, tag=call.given.get("tag", ""),
    )  # fmt: skip
    return {"recipient_id": call.world.know(call.page.id, user.id), "message_id": message.id}


def _kept(call: Call, picture: bytes | None) -> list[JSON] | None:
    try:
        return [uploads.keep(call.world, call.page, picture, largest=LARGEST_PHOTO).media] if picture else None
    except acts.Refused:
        raise GraphError("(#100) Upload attachment failure.", 100, 2018047) from None


# -- tokens and apps ------------------------------------------------------------------------------------------------
async def debug_token(request: web.Request) -> web.Response:
    site = site_of(request)
    token = site.token(request.query.get("input_token", ""), "facebook")
    if token is None:
        raise errors.bad_parameter("The access token could not be decrypted")
    data: JSON = {
        "app_id": token.app, "type": "PAGE", "application": "Sandbox app", "expires_at": 0,
        "data_access_expires_at": now_ms() // 1000 + 7_776_000, "is_valid": token.dead is None,
        "profile_id": token.account, "scopes": token.scopes, "user_id": token.account,
    }  # fmt: skip
    if token.dead:
        dead = errors.dead_token(token.dead.get("subcode"))
        data["error"] = {"code": dead.code, "message": dead.message, "subcode": dead.subcode}
    return web.json_response({"data": data})


async def app_subscriptions(request: web.Request) -> web.Response:
    """`/{app-id}/subscriptions` with the app's token (`app-id|app-secret`): where the app's webhooks go."""
    site, app_id = site_of(request), request.match_info["app"]
    given = await _parameters(request)
    app = site.world.apps.get(("facebook", app_id))
    if app is None or not hmac.compare_digest(_app_token(request, given).encode(), f"{app.id}|{app.secret}".encode()):
        raise errors.dead_token(None)
    if request.method == "POST":
        fields = given.get("fields", "").replace(" ", "").split(",")
        await set_callback(request, app, given.get("callback_url", ""), given.get("verify_token", ""), fields)
        return web.json_response({"success": True})
    if request.method == "DELETE":
        site.world.record("app.changed", network="facebook", id=app.id, changes={"webhook_url": "", "fields": []})
        return web.json_response({"success": True})
    fields_shown = [{"name": name, "version": f"v{NEWEST:.1f}"} for name in app.fields]
    shown = {"object": "page", "callback_url": app.webhook_url, "active": True, "fields": fields_shown}
    return web.json_response({"data": [shown] if app.webhook_url else []})


def _app_token(request: web.Request, given: dict[str, str]) -> str:
    return given.get("access_token", "") or request.headers.get("Authorization", "").removeprefix("Bearer ")


async def set_callback(request: web.Request, app: App, url: str, verify_token: str, fields: list[str]) -> None:
    """Shakes hands with the callback and keeps it. Raises GraphError where it does not answer."""
    try:
        must_be_loopback(url)
    except acts.Refused as refused:
        raise errors.bad_parameter(str(refused)) from None
    if not await request.config_dict[SENDER].verify(url, verify_token):
        words = "(#2200) Callback verification failed with the following errors: the challenge did not come back"
        raise GraphError(words, 2200)
    changes = {"webhook_url": url, "verify_token": verify_token, "fields": fields}
    site_of(request).world.record("app.changed", network="facebook", id=app.id, changes=changes)


def routes() -> list[web.RouteDef]:
    base = r"/graph/{version:v\d+\.\d+}"
    one, two = base + "/{node}", base + "/{node}/{edge}"
    return [
        web.get(base + "/debug_token", debug_token),
        web.get(base + "/", several),
        web.route("*", base + r"/{app:\d+}/subscriptions", app_subscriptions),
        web.get(one, node),
        web.post(one, write),
        web.delete(one, remove),
        web.get(two, edge),
        web.post(two, write_edge),
        web.delete(two, remove_edge),
    ]
