"""Facebook Pages and Messenger, by the Graph API through facebook-sdk."""

from __future__ import annotations

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
from channels_ingest.networks.parts import (
    graph_events,
    graph_objects,
    graph_rules,
    graph_sending,
    graph_walk,
    graph_webhooks,
    values,
)
from channels_ingest.networks.parts.graph_objects import GONE
from channels_ingest.networks.parts.graph_reading import Reading
from channels_ingest.networks.parts.values import Obj, Unusable

if TYPE_CHECKING:
    from channels_ingest.networks.parts.graph_client import Graph

DEFAULT_VERSION = "v25.0"  # until 29 July 2028; account setting "graph_version" takes another
EDGES = ("feed", "tagged")
FRESH = timedelta(days=30)
LOOKUP_LIMIT = 50
LAST_MOMENT = 253_000_000_000  # seconds since 1970; beyond the year 9987 no clock of ours goes


PICTURES = Pictures(1, 4 * 1024 * 1024, ("image/jpeg", "image/png", "image/gif"), described=False)
PUSHED = "feed,mention,messages,message_echoes,message_edits,standby"
PAGE_FIELDS = "id,name,username,link,picture{url},followers_count,verification_status"


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
    def _reading(self) -> Reading:
        return Reading(self._graph, self.page)

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
            ask = partial(self._reading.edge, self.page.id, edge, graph_objects.POST_FIELDS)
            make = partial(graph_objects.post_from, page=self.page, source=edge)
            for page in graph_walk.newest_first(ask, make, self._graph.now, walks[edge]):
                walks[edge] = dict(page.cursor)
                yield replace(page, cursor=dict(walks))

    def _comments(self, cursor: Mapping[str, JSON]) -> Iterator[Page]:
        return graph_walk.Nested(
            edges=EDGES,
            places=lambda edge, after: self._reading.edge(self.page.id, edge, "id,created_time,updated_time", after),
            said=self._reading.comments_under,
            make=lambda row, place: graph_objects.comment_from(row, str(place["id"]), self.page, "comments"),
            now=self._graph.now,
            fresh=FRESH,
        ).pages(cursor)

    def _messages(self, cursor: Mapping[str, JSON]) -> Iterator[Page]:
        return graph_walk.Nested(
            edges=("conversations",),
            places=self._reading.conversations,
            said=lambda conversation, after: self._reading.edge(
                conversation, "messages", graph_objects.MESSAGE_FIELDS, after
            ),
            make=self._reading.message,
            now=self._graph.now,
        ).pages(cursor)

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
        return graph_webhooks.challenge(query, secrets)

    @classmethod
    def signed(cls, body: bytes, headers: Mapping[str, str], secrets: Mapping[str, str]) -> bool:
        return graph_webhooks.signed(body, headers, secrets)

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
        return graph_rules.verdict(action, situation)

    def send(self, out: Outgoing) -> Sent:
        say = graph_sending.message if out.action == Action.MESSAGE else graph_sending.comment
        return say(self._graph, self.page.id, out)

    def find_sent(self, out: Outgoing) -> Sent | None:
        return graph_sending.find(self._reading, out)

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
