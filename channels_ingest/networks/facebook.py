"""Facebook Pages and Messenger, by the Graph API through facebook-sdk."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING, ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from channels_ingest.networks.base import (
    JSON,
    Access,
    Account,
    Action,
    Author,
    CannotReadBack,
    Event,
    Field,
    Item,
    Network,
    NetworkError,
    Outgoing,
    Page,
    Pictures,
    Post,
    Removal,
    Sent,
    Situation,
    Stream,
    Supports,
    Trouble,
    Verdict,
    Visibility,
)
from channels_ingest.networks.parts import graph_events, graph_objects, graph_said, graph_walk, values
from channels_ingest.networks.parts.values import Obj, Unusable

if TYPE_CHECKING:
    from channels_ingest.networks.parts.graph_client import Graph

DEFAULT_VERSION = "v25.0"  # until 29 July 2028; account setting "graph_version" takes another
EDGES = ("feed", "tagged")
FRESH = timedelta(days=30)
GONE = "100/33"
LOOKUP_LIMIT = 50
READ_BACK_PAGES = 5
CLOCKS_DIFFER = timedelta(minutes=5)
CLOCKS_AGREE = timedelta(seconds=5)  # usually; Graph tells whole seconds
LAST_MOMENT = 253_000_000_000  # seconds since 1970; beyond the year 9987 no clock of ours goes

# developers.facebook.com/docs/messenger-platform/policy/policy-overview
OPEN_WINDOW = timedelta(hours=24)
HUMAN_WINDOW = timedelta(days=7)
PRIVATE_REPLY_WINDOW = timedelta(days=7)

PICTURES = Pictures(1, 4 * 1024 * 1024, ("image/jpeg", "image/png", "image/gif"), described=False)
PUSHED = "feed,mention,messages,message_echoes,message_edits,standby"
PAGE_FIELDS = "id,name,username,link,picture{url},followers_count,verification_status"
CHALLENGE = re.compile(r"[\w.-]{1,200}")


class Facebook(Network):
    key = "facebook"
    sandbox = "facebook"
    name = "Facebook"
    badge = "f"
    supports = Supports(
        public_reply=True,
        private_message=True,
        hide=True,
        delete=True,
        block=True,
        public_limit=8_000,
        private_limit=2_000,
        # one picture below a comment; in Messenger a picture is a message of its own
        media={Action.REPLY: PICTURES, Action.MESSAGE: replace(PICTURES, alone=True)},
    )
    streams = (
        Stream("posts", Visibility.PUBLIC, timedelta(minutes=2)),
        Stream("comments", Visibility.PUBLIC, timedelta(minutes=2)),
        Stream("messages", Visibility.PRIVATE, timedelta(minutes=1)),
    )
    fields = (
        Field(
            "access_token",
            gettext_noop("Page access token"),
            gettext_noop("Graph API Explorer or your own sign-in: a long-lived token of the Page, not of a person."),
            required=False,
        ),
        Field(
            "user_token",
            gettext_noop("Or: user access token"),
            gettext_noop(
                "Instead of the Page's: the token of a person with a role on the Page. We make it long-lived, take the "
                "Page's token from it, and do not keep it."
            ),
            required=False,
        ),
        Field(
            "page_id",
            gettext_noop("Page ID"),
            gettext_noop("Only with a user token whose person runs several Pages: which one."),
            secret=False,
            required=False,
        ),
        Field(
            "app_id",
            gettext_noop("App ID"),
            gettext_noop("Developer dashboard, App settings, Basic: App ID."),
            secret=False,
            app=True,
        ),
        Field(
            "app_secret",
            gettext_noop("App secret"),
            gettext_noop("Same page, Show. Facebook signs its webhooks with it."),
            app=True,
        ),
        Field(
            "verify_token",
            gettext_noop("Verify token"),
            gettext_noop(
                "A password of your own choice. Give the same one to Facebook where you register the webhook."
            ),
            app=True,
        ),
    )
    app_field: ClassVar[str] = "app_id"

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self.page = graph_objects.Page(account.external_id, account.handle)

    # -- the client -------------------------------------------------------------------------------------------------

    @cached_property
    def _graph(self) -> Graph:
        return self._connect(self._page_token)

    @cached_property
    def _page_token(self) -> str:
        given = self.account.credentials
        own = given.get("access_token", "")
        return self._derived() if given.get("user_token") and not own else own

    def _derived(self) -> str:
        """The Page's token, taken from a person's: one that does not run out, as the person's was made long-lived.
        https://developers.facebook.com/docs/facebook-login/guides/access-tokens/get-long-lived"""
        given = self.account.credentials
        exchange = {
            "grant_type": "fb_exchange_token",
            "client_id": given.get("app_id", ""),
            "client_secret": given.get("app_secret", ""),
            "fb_exchange_token": given["user_token"],
        }
        answer = self._app_graph.exchange(**exchange)
        person = self._connect(values.identifier(answer.get("access_token")) or given["user_token"])
        rows = values.objects(person.edge("me", "accounts", fields="id,name,access_token").get("data"))
        pages = {values.identifier(row.get("id")): row for row in rows}
        wanted = self.account.external_id or given.get("page_id", "") or (next(iter(pages)) if len(pages) == 1 else "")
        if wanted not in pages:
            names = ", ".join(f"{values.name(row.get('name'))} ({page_id})" for page_id, row in pages.items())
            words = _("Which Page? This person runs: %(names)s.") % {"names": names or _("none")}
            raise NetworkError(words, Trouble.PERMANENT, code="page", advice=_("Enter the Page ID."))
        return values.identifier(pages[wanted].get("access_token"))

    @cached_property
    def _app_graph(self) -> Graph:
        """Speaks for the developer app."""
        given = self.account.credentials
        return self._connect(f"{given.get('app_id', '')}|{given.get('app_secret', '')}")

    def _connect(self, token: str) -> Graph:
        from channels_ingest.networks.parts.graph_client import Graph  # heavy: only where Facebook is really called

        return Graph(
            token,
            version=str(self.account.settings.get("graph_version") or DEFAULT_VERSION),
            base_url=self.account.base_url,
            app_secret=self.account.credentials.get("app_secret", ""),
            hidden=[self.account.credentials.get(field.name, "") for field in self.fields if field.secret],
        )

    # -- who we are -------------------------------------------------------------------------------------------------

    def identify(self) -> Author:
        page = self._graph.node("me", fields=PAGE_FIELDS)
        external_id = values.identifier(page.get("id"))
        if not external_id:
            raise NetworkError(_("Facebook does not say whose access this is."), Trouble.TEMPORARY, code="body")
        if self.account.external_id not in ("", external_id):
            words = _("This access belongs to another Page: %(name)s.") % {"name": values.name(page.get("name"))}
            raise NetworkError(words, Trouble.BROKEN, code="other-account", advice=_("Connect the Page again."))
        picture = values.mapping(values.mapping(page.get("picture")).get("data"))
        return Author(
            external_id=external_id,
            handle=values.name(page.get("username")) or values.name(page.get("name")),
            name=values.name(page.get("name")),
            avatar_url=values.url(picture.get("url")),
            followers=values.count(page.get("followers_count")),
            verified=page.get("verification_status") in ("blue_verified", "gray_verified"),
            permalink=values.url(page.get("link")),
        )

    def sign_in(self) -> Access:
        once = ("user_token", "page_id")
        kept = {name: value for name, value in self.account.credentials.items() if name not in once}
        return Access({**kept, "access_token": self._page_token}, ends_at=self._told_end())

    def _told_end(self) -> datetime | None:
        try:
            return self.access_ends()
        except NetworkError:  # it is asked again every day; connecting does not depend on it
            return None

    def access_ends(self) -> datetime | None:
        """The end of the token, or of the right to see people's data, whichever comes first: 60 and 90 days.
        https://developers.facebook.com/docs/facebook-login/guides/access-tokens/debugging"""
        told = values.mapping(self._app_graph.node("debug_token", input_token=self._page_token).get("data"))
        ends = [values.count(told.get(name)) or 0 for name in ("expires_at", "data_access_expires_at")]
        known = [moment for moment in ends if 0 < moment < LAST_MOMENT]
        return datetime.fromtimestamp(min(known), UTC) if known else None

    # -- in ---------------------------------------------------------------------------------------------------------

    def pull(self, stream: str, cursor: Mapping[str, JSON]) -> Iterator[Page]:
        return {"posts": self._posts, "comments": self._comments, "messages": self._messages}[stream](cursor)

    def _posts(self, cursor: Mapping[str, JSON]) -> Iterator[Page]:
        walks = {edge: dict(values.mapping(cursor.get(edge))) for edge in EDGES}
        for edge in EDGES:
            ask = partial(self._list, self.page.id, edge, graph_objects.POST_FIELDS)
            make = partial(graph_objects.post_from, page=self.page, source=edge)
            for page in graph_walk.newest_first(ask, make, self._graph.now, walks[edge]):
                walks[edge] = dict(page.cursor)
                yield replace(page, cursor=dict(walks))

    def _list(self, node: str, edge: str, fields: str, after: str, **asked: str) -> Obj:
        return self._graph.edge(node, edge, after=after, fields=fields, **asked)

    def _comments(self, cursor: Mapping[str, JSON]) -> Iterator[Page]:
        return graph_walk.Nested(
            edges=EDGES,
            places=lambda edge, after: self._list(self.page.id, edge, "id,created_time,updated_time", after),
            said=self._comments_under,
            make=lambda row, place: graph_objects.comment_from(row, str(place["id"]), self.page, "comments"),
            now=self._graph.now,
            fresh=FRESH,
        ).pages(cursor)

    def _comments_under(self, item_id: str, after: str) -> Obj:
        """Comments at any depth under a post, the newest first."""
        fields = graph_objects.COMMENT_FIELDS
        return self._list(item_id, "comments", fields, after, filter="stream", order="reverse_chronological")

    def _messages(self, cursor: Mapping[str, JSON]) -> Iterator[Page]:
        return graph_walk.Nested(
            edges=("conversations",),
            places=self._conversations,
            said=lambda conversation, after: self._list(conversation, "messages", graph_objects.MESSAGE_FIELDS, after),
            make=self._message,
            now=self._graph.now,
        ).pages(cursor)

    def _conversations(self, edge: str, after: str) -> Obj:
        return self._list(self.page.id, edge, "id,updated_time,participants", after, platform="messenger")

    def _message(self, row: Obj, conversation: Obj) -> Item:
        partner = graph_objects.partner_in(conversation, self.page)
        return graph_objects.message_from(row, partner, self.page)

    def cursor_at(self, stream: str, moment: datetime) -> Mapping[str, JSON]:
        at = moment.isoformat()
        return {edge: {"since": at} for edge in EDGES} if stream == "posts" else dict.fromkeys(graph_walk.BOUNDS, at)

    def lookup(self, external_ids: Iterable[str]) -> tuple[Item, ...]:
        wanted = list(dict.fromkeys(external_ids))[:LOOKUP_LIMIT]
        return tuple(item for one in wanted if (item := self._looked_up(one)) is not None)

    def _looked_up(self, external_id: str) -> Item | None:
        message = external_id.startswith("m_")
        comment = not message and not external_id.startswith(f"{self.page.id}_")
        fields = graph_objects.MESSAGE_FIELDS if message else graph_objects.POST_FIELDS
        fields = f"{graph_objects.COMMENT_FIELDS},object{{id}}" if comment else fields
        try:
            raw = self._graph.node(external_id, fields=fields)
            found = self._as_it_is(raw, message=message, comment=comment)
            return found if message or not isinstance(found, Post) else self._newest(found)
        except Unusable:
            return None
        except NetworkError as problem:
            if problem.code == GONE:
                return Removal(external_id)
            if problem.trouble == Trouble.PERMANENT:
                return None  # no item of a kind that can be asked for alone: nothing is known about it
            raise

    def _newest(self, post: Post) -> Post:
        """Graph counts no versions: what it says now is newer than any edit it told of before."""
        return replace(post, version=max(post.version, int(self._graph.now().timestamp())))

    def _as_it_is(self, raw: Obj, *, message: bool, comment: bool) -> Item:
        if message:
            people = [raw.get("from"), *values.listing(values.mapping(raw.get("to")).get("data"))]
            partner = graph_objects.partner_in({"participants": {"data": people}}, self.page)
            return graph_objects.message_from(raw, partner, self.page)
        if comment:
            root_id = values.needed_id(values.mapping(raw.get("object")).get("id"), "post id")
            return graph_objects.comment_from(raw, root_id, self.page, "lookup")
        return graph_objects.post_from(raw, self.page, "lookup")

    @classmethod
    def challenge(cls, query: Mapping[str, str], secrets: Mapping[str, str]) -> tuple[str, str] | None:
        ours, given = secrets.get("verify_token", ""), query.get("hub.verify_token", "")
        answer = query.get("hub.challenge", "")
        known = bool(ours) and hmac.compare_digest(ours.encode(), given.encode("utf-8", "replace"))
        if not known or query.get("hub.mode") != "subscribe" or not CHALLENGE.fullmatch(answer):
            return None
        return "text/plain", answer

    @classmethod
    def signed(cls, body: bytes, headers: Mapping[str, str], secrets: Mapping[str, str]) -> bool:
        secret, given = secrets.get("app_secret", ""), headers.get("x-hub-signature-256", "")
        ours = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return bool(secret) and hmac.compare_digest(ours.encode(), given.encode("utf-8", "replace"))

    @classmethod
    def parse_event(cls, payload: JSON) -> tuple[Event, ...]:
        return graph_events.events(payload)

    def subscribe(self, callback_url: str) -> None:
        given = self.account.credentials
        app_id, app_secret, verify_token = (given.get(name, "") for name in ("app_id", "app_secret", "verify_token"))
        if app_id and app_secret and verify_token:
            self._connect(f"{app_id}|{app_secret}").put(
                app_id,
                "subscriptions",
                object="page",
                callback_url=callback_url,
                verify_token=verify_token,
                fields=PUSHED,
            )
        self._graph.put(self.page.id, "subscribed_apps", subscribed_fields=PUSHED)

    # -- out --------------------------------------------------------------------------------------------------------

    def verdict(self, action: Action, situation: Situation) -> Verdict:
        if situation.removed:
            return Verdict(False, _("This was deleted on Facebook."))
        public = situation.visibility == Visibility.PUBLIC
        match action:
            case Action.REPLY:
                return Verdict(public, "" if public else _("Answer a message by a message."))
            case Action.MESSAGE:
                return _may_message(situation, public)
            case Action.HIDE:
                return _may_hide(situation) if public else Verdict(False, _("Only comments can be hidden."))
            case Action.DELETE:
                return _may_delete(situation) if public else Verdict(False, _("Messenger takes no message back."))
            case Action.BLOCK:
                return _may_block(situation)

    def send(self, out: Outgoing) -> Sent:
        return self._send_message(out) if out.action == Action.MESSAGE else self._send_comment(out)

    def _send_comment(self, out: Outgoing) -> Sent:
        where = (out.parent_id, "comments") if out.parent_id else (self.page.id, "feed")
        answer = self._graph.put(*where, message=out.text, **self._pictured(out))
        external_id = _accepted(answer.get("id"))
        return Sent(external_id, f"https://www.facebook.com/{external_id}")

    def _pictured(self, out: Outgoing) -> dict[str, str]:
        """The parameter that puts its picture below a comment. Whatever goes wrong here, nothing was said yet."""
        if not out.pictures:
            return {}
        try:
            return {"attachment_id": _accepted(self._graph.photo(self.page.id, out.pictures[0]).get("id"))}
        except NetworkError as problem:
            problem.ambiguous = False
            raise

    def _send_message(self, out: Outgoing) -> Sent:
        """One call, also with a picture: developers.facebook.com/docs/messenger-platform/send-messages/saving-assets
        (`filedata`), which takes either words or an attachment."""
        given = {"recipient": _recipient(out), **_window_of(out, datetime.now(UTC))}
        if not out.pictures:
            words = {"text": out.text, "metadata": out.key}
            answer = self._graph.put(self.page.id, "messages", message=words, **given)
        elif out.text:
            raise NetworkError(_("Messenger takes a picture as a message of its own."), Trouble.PERMANENT, code="both")
        else:
            shown = {"attachment": {"type": "image", "payload": {"is_reusable": False}}, "metadata": out.key}
            picture = out.pictures[0]
            answer = self._graph.put_picture(self.page.id, "messages", "filedata", picture, message=shown, **given)
        return Sent(_accepted(answer.get("message_id")))

    def find_sent(self, out: Outgoing) -> Sent | None:
        began = (out.started_at or datetime.now(UTC) - timedelta(days=1)) - CLOCKS_DIFFER
        lately = (item for item in self._said_since(out, began) if item.external_id not in out.already)
        ours = (item for item in lately if graph_said.is_it(item, out, self.page.id))
        found = next(ours, None)
        if found is not None and not out.text and not _is_the_picture([found, *ours], out):
            raise CannotReadBack(_("A picture is there, but it may be another one. Look there, then decide."))
        return Sent(found.external_id, found.permalink) if found else None

    def _said_since(self, out: Outgoing, began: datetime) -> Iterator[Post]:
        """What was said lately where `out` would stand, the newest first."""
        for ask, make in self._places(out):
            try:
                yield from _lately(ask, make, began)
            except NetworkError as problem:
                if problem.code != GONE:
                    raise
                # What was answered is gone, and all that stood below it with it.

    def _places(self, out: Outgoing) -> Iterator[tuple[graph_walk.Ask, graph_walk.Make]]:
        if out.action == Action.MESSAGE:
            for conversation in self._conversations_of(out):
                ask = partial(self._list, str(conversation["id"]), "messages", graph_objects.MESSAGE_FIELDS)
                yield ask, partial(self._message, conversation=conversation)
        elif out.parent_id:
            root = out.root_id or out.parent_id
            make = partial(graph_objects.comment_from, root_id=root, page=self.page, source="comments")
            yield partial(self._comments_under, root), make
        else:
            ask = partial(self._list, self.page.id, "feed", graph_objects.POST_FIELDS)
            yield ask, partial(graph_objects.post_from, page=self.page, source="feed")

    def _conversations_of(self, out: Outgoing) -> list[Obj]:
        """The conversation with the person; for a private reply to somebody unknown in private, the newest ones."""
        asked = {"user_id": out.recipient_id} if out.recipient_id and not out.private_reply else {}
        fields = "id,updated_time,participants"
        answer = self._list(self.page.id, "conversations", fields, "", platform="messenger", **asked)
        rows = [row for row in values.objects(answer.get("data")) if values.identifier(row.get("id"))]
        if not asked:
            return rows[:10]
        return [row for row in rows if out.recipient_id in _people(row)]

    def hide(self, external_id: str, *, hidden: bool) -> None:
        self._graph.change(external_id, is_hidden="true" if hidden else "false")

    def remove(self, external_id: str) -> None:
        try:
            self._graph.delete(external_id)
        except NetworkError as problem:
            if problem.code != GONE:
                raise

    def block(self, author_id: str, *, blocked: bool) -> None:
        """https://developers.facebook.com/docs/graph-api/reference/page/blocked: needs pages_manage_engagement and
        pages_messaging."""
        if not blocked:
            self._graph.take_from(self.page.id, "blocked", user=author_id)
        elif self._graph.put(self.page.id, "blocked", user=author_id).get(author_id) is not True:
            words = _("Facebook did not say that the person is blocked.")
            raise NetworkError(words, Trouble.TEMPORARY, ambiguous=True, code="body")


def _lately(ask: graph_walk.Ask, make: graph_walk.Make, began: datetime) -> Iterator[Post]:
    for number, (rows, _after) in enumerate(graph_walk.pages(ask), start=1):
        items, _dropped = graph_walk.made(rows, make)
        yield from (item for item in items if isinstance(item, Post) and item.posted_at >= began)
        if graph_walk.all_before(rows, began) or number == READ_BACK_PAGES:
            return


def _is_the_picture(found: list[Post], out: Outgoing) -> bool:
    """Whether what our Page said without words can be nothing but the picture of `out`: Graph does not hand our key
    back where it is read, and changes the bytes. So it has to be the only one, one picture, and no older than `out`."""
    if len(found) != 1 or out.started_at is None:
        return False
    return [one.kind for one in found[0].media] == ["image"] and found[0].posted_at >= out.started_at - CLOCKS_AGREE


def _people(conversation: Obj) -> list[str]:
    people = values.objects(values.mapping(conversation.get("participants")).get("data"))
    return [values.identifier(one.get("id")) for one in people]


def _recipient(out: Outgoing) -> dict[str, str]:
    """A person, or the one who wrote a comment or a post (a private reply: one message, within seven days). Somebody
    who has written to us in private lately is answered there, as often as wanted."""
    lately = out.last_private_in is not None and datetime.now(UTC) - out.last_private_in < HUMAN_WINDOW
    if out.recipient_id and (lately or not out.private_reply):
        return {"id": out.recipient_id}
    return {"post_id" if out.parent_id == out.root_id else "comment_id": out.parent_id}


def _window_of(out: Outgoing, now: datetime) -> dict[str, str]:
    """How a message is declared. The tag for people is for people alone: a machine's message never bears it."""
    late = out.last_private_in is not None and now - out.last_private_in > OPEN_WINDOW
    if late and out.human and "id" in _recipient(out):
        return {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}
    return {"messaging_type": "RESPONSE"}


def _accepted(external_id: object) -> str:
    found = values.identifier(external_id)
    if not found:
        raise NetworkError(_("Facebook's answer cannot be read."), Trouble.TEMPORARY, ambiguous=True, code="body")
    return found


def _may_message(situation: Situation, public: bool) -> Verdict:
    if situation.ours:
        return Verdict(False, _("This Page wrote this itself."))
    if public and situation.last_private_in is None:
        return _may_reply_privately(situation)
    if situation.last_private_in is None:
        return Verdict(False, _("Messenger lets a Page write only to who has written to it."))
    return _in_window(situation, situation.last_private_in)


def _may_reply_privately(situation: Situation) -> Verdict:
    """developers.facebook.com/docs/messenger-platform/discovery/private-replies: one message, within seven days."""
    until = situation.posted_at + PRIVATE_REPLY_WINDOW
    if situation.private_replied:
        return Verdict(False, _("One private reply was sent already. Now the person has to answer."))
    if situation.now >= until:
        return Verdict(False, _("A private reply is possible for seven days. They are over."))
    if situation.facts.get("can_reply_privately") is False or situation.author_id.startswith("unknown:"):
        return Verdict(False, _("Facebook does not allow a private reply to this."))
    return Verdict(True, _("One private reply is possible. Then the person has to answer."), until)


def _in_window(situation: Situation, last_private_in: datetime) -> Verdict:
    waited = situation.now - last_private_in
    if waited < OPEN_WINDOW:
        return Verdict(True, "", last_private_in + OPEN_WINDOW)
    if waited >= HUMAN_WINDOW:
        return Verdict(False, _("Messenger closes seven days after the person's last message. They are over."))
    if not situation.human:
        return Verdict(False, _("After 24 hours only a person may answer here, no machine."))
    reason = _("The 24 hours are over: this goes out marked as the answer of a person.")
    return Verdict(True, reason, last_private_in + HUMAN_WINDOW)


def _may_hide(situation: Situation) -> Verdict:
    if situation.ours:
        return Verdict(False, _("Our own comments can be deleted, not hidden."))
    if situation.facts.get("can_hide") is False:
        return Verdict(False, _("Facebook does not allow hiding this."))
    return Verdict(True)


def _may_block(situation: Situation) -> Verdict:
    if situation.ours:
        return Verdict(False, _("This Page wrote this itself."))
    if situation.author_id.startswith("unknown:"):
        return Verdict(False, _("Facebook does not say who wrote this."))
    return Verdict(True)


def _may_delete(situation: Situation) -> Verdict:
    if situation.ours or situation.facts.get("can_remove") is True:
        return Verdict(True)
    return Verdict(False, _("Facebook does not allow deleting this."))
