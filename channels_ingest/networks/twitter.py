"""X (Twitter), by API v2 through tweepy."""

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
    Dropped,
    Event,
    Field,
    Item,
    Network,
    NetworkError,
    Outgoing,
    Page,
    Pictures,
    Removal,
    Sent,
    Situation,
    Stream,
    Supports,
    Trouble,
    Verdict,
    Visibility,
)
from channels_ingest.networks.parts import values, x_events, x_length, x_rules, x_sending, x_walk, x_webhooks
from channels_ingest.networks.parts.values import Obj
from channels_ingest.networks.parts.x_posts import Us, author_from, snowflake_at
from channels_ingest.networks.parts.x_reading import USER_FIELDS, Reading

if TYPE_CHECKING:
    from channels_ingest.networks.parts.x_client import Client

MENTIONS_REACH = 800  # newest mentions that X still gives
POSTS_REACH = 3_200
SEARCH_REACH = timedelta(days=6, hours=23)  # recent search looks back seven days
MESSAGES_REACH = timedelta(days=30)
QUERY_LIMIT = 512
ROOTS_PER_QUERY = 10
LOOKUP_LIMIT = 100
ACCESS_LIVES = timedelta(hours=2)  # of an OAuth 2.0 user token, where X does not say

PICTURE_BYTES = 5 * 1024 * 1024
PICTURE_TYPES = ("image/jpeg", "image/png", "image/webp")


class Twitter(Network):
    key = "twitter"
    sandbox = "x"
    name = "X"
    badge = "X"
    supports = Supports(
        public_reply=True,
        private_message=True,
        hide=True,
        delete=True,
        public_limit=x_length.LIMIT,
        private_limit=10_000,
        # docs.x.com, media best practices: four pictures with a post, one with a message, of 5 MB each
        media={
            Action.REPLY: Pictures(4, PICTURE_BYTES, PICTURE_TYPES),
            Action.MESSAGE: Pictures(1, PICTURE_BYTES, PICTURE_TYPES),
        },
    )
    streams = (
        Stream("mentions", Visibility.PUBLIC, timedelta(minutes=1)),
        Stream("conversations", Visibility.PUBLIC, timedelta(minutes=2)),
        Stream("search", Visibility.PUBLIC, timedelta(minutes=2)),
        Stream("posts", Visibility.PUBLIC, timedelta(minutes=1), ours=True),
        # 15 reads in 15 minutes are all that X allows a user.
        Stream("messages", Visibility.PRIVATE, timedelta(minutes=1, seconds=15)),
    )
    fields = (
        Field(
            "consumer_key",
            gettext_noop("API key"),
            gettext_noop("Developer console, your app, Keys and tokens: API key."),
            secret=False,
            app=True,
        ),
        Field(
            "consumer_secret",
            gettext_noop("API key secret"),
            gettext_noop("Shown beside the API key, once. X signs its webhooks with it."),
            app=True,
        ),
        Field(
            "bearer_token",
            gettext_noop("Bearer token of the app"),
            gettext_noop("Same page: Bearer token. Needed only for webhooks."),
            app=True,
            required=False,
        ),
        Field(
            "access_token",
            gettext_noop("Access token"),
            gettext_noop(
                "Same page, signed in as the account to connect: Access token, with reading, writing and messages."
            ),
        ),
        Field(
            "access_token_secret",
            gettext_noop("Access token secret"),
            gettext_noop("Shown beside the access token. Leave it empty for an OAuth 2.0 user token."),
            required=False,
        ),
        Field(
            "refresh_token",
            gettext_noop("Refresh token"),
            gettext_noop(
                "OAuth 2.0 only: it came with the access token, where the scope offline.access was asked for. We renew "
                "the access with it every two hours; X takes each refresh token once, so paste it nowhere else."
            ),
            required=False,
        ),
        Field(
            "client_id",
            gettext_noop("Client ID"),
            gettext_noop("OAuth 2.0 only: Keys and tokens, OAuth 2.0 Client ID. Needed to renew the access."),
            secret=False,
            app=True,
            required=False,
        ),
        Field(
            "client_secret",
            gettext_noop("Client secret"),
            gettext_noop("Shown beside the client ID, once."),
            app=True,
            required=False,
        ),
    )
    app_field: ClassVar[str] = "consumer_key"

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self.us = Us(account.external_id, account.handle)

    @cached_property
    def _client(self) -> Client:
        from channels_ingest.networks.parts.x_client import Client  # heavy: only where X is really called

        return Client(self.account)

    @cached_property
    def _reading(self) -> Reading:
        return Reading(self._client, self.us)

    # -- who we are -------------------------------------------------------------------------------------------------

    def identify(self) -> Author:
        answer = self._client.user.get_me(user_auth=self._client.signs, user_fields=USER_FIELDS)
        user = values.mapping(answer.get("data"))
        external_id = values.digits(user.get("id"))
        if not external_id:
            raise NetworkError(_("X does not say whose access this is."), Trouble.TEMPORARY, code="body")
        if self.account.external_id not in ("", external_id):
            words = _("This access belongs to another account: @%(handle)s.") % {
                "handle": values.name(user.get("username"))
            }
            raise NetworkError(words, Trouble.BROKEN, code="other-account", advice=_("Connect the account again."))
        return author_from(external_id, user)

    def sign_in(self) -> Access:
        """With a refresh token the access is renewed at once: that proves it, and says when the access ends."""
        return self.renew() if self.renewable else Access(self.account.credentials)

    @property
    def renewable(self) -> bool:
        given = self.account.credentials
        return bool(given.get("refresh_token")) and not given.get("access_token_secret")

    def renew(self) -> Access:
        """https://docs.x.com/resources/fundamentals/authentication/oauth-2-0/authorization-code: an access token lives
        two hours, a refresh token is good once."""
        given = self.account.credentials
        answer = self._client.new_tokens()
        access_token, lives = values.identifier(answer.get("access_token")), values.count(answer.get("expires_in"))
        if not access_token:
            raise NetworkError(_("X's answer cannot be read."), Trouble.TEMPORARY, ambiguous=True, code="body")
        tokens = {
            "access_token": access_token,
            "refresh_token": values.identifier(answer.get("refresh_token")) or given["refresh_token"],
        }
        ends = datetime.now(UTC) + (timedelta(seconds=lives) if lives else ACCESS_LIVES)
        return Access({**given, **tokens}, renew_before=ends)

    # -- in ---------------------------------------------------------------------------------------------------------

    def pull(self, stream: str, cursor: Mapping[str, JSON]) -> Iterator[Page]:
        return {
            "mentions": self._mentions,
            "conversations": self._conversations,
            "search": self._search,
            "posts": self._posts,
            "messages": self._messages,
        }[stream](cursor)

    def _mentions(self, cursor: Mapping[str, JSON]) -> Iterator[Page]:
        return x_walk.by_ids(
            self._reading.mentions, partial(self._reading.items, "mentions"), cursor, reach=MENTIONS_REACH
        )

    def _posts(self, cursor: Mapping[str, JSON]) -> Iterator[Page]:
        return x_walk.by_ids(self._reading.own, partial(self._reading.items, "posts"), cursor, reach=POSTS_REACH)

    def _search(self, cursor: Mapping[str, JSON]) -> Iterator[Page]:
        """The keywords of the settings, one walk each: a keyword that X refuses does not stop the others."""
        known = values.mapping(cursor.get("queries"))
        walks = {query: dict(values.mapping(known.get(query))) for query in self._keywords()}
        for query in list(walks):
            try:
                for page in self._searched("search", self._not_our_own(query), walks[query]):
                    walks[query] = dict(page.cursor)
                    yield replace(page, cursor={"queries": dict(walks)})
            except NetworkError as problem:
                if problem.trouble != Trouble.PERMANENT:
                    raise
                reason = f"X refuses the search for {query!r}: {problem.message}"
                yield Page((), {"queries": dict(walks)}, (Dropped(reason, {"query": query}),))

    def _keywords(self) -> list[str]:
        listed = values.listing(self.account.settings.get("keywords"))
        return list(dict.fromkeys(words for one in listed if (words := values.text(one, QUERY_LIMIT).strip())))

    def _not_our_own(self, query: str) -> str:
        return f"({query}) -is:retweet" + (f" -from:{self.us.handle}" if self.us.handle else "")

    def _searched(self, source: str, query: str, cursor: Mapping[str, JSON]) -> Iterator[Page]:
        ask = partial(self._reading.found, query)
        return x_walk.by_ids(ask, partial(self._reading.items, source), cursor, oldest=SEARCH_REACH)

    def _conversations(self, cursor: Mapping[str, JSON]) -> Iterator[Page]:
        """Replies in our conversations, also those that do not name us: ten conversations in one search. Each
        conversation has its own mark, and the marks move when the whole search has been handed over."""
        marks = {root: values.digits(since) for root, since in values.mapping(cursor.get("roots")).items()}
        roots = self._roots()
        # a new conversation is read from just before its root, which X's search counts among its posts
        marks = {root: marks.get(root) or str(int(root) - 1) for root in roots}
        yield Page((), {"roots": dict(marks)})
        by_age = sorted(roots, key=lambda root: int(marks[root]))
        for start in range(0, len(by_age), ROOTS_PER_QUERY):
            group = by_age[start : start + ROOTS_PER_QUERY]
            query = " OR ".join(f"conversation_id:{root}" for root in group)
            since = min((marks[root] for root in group), key=int)
            for page in self._searched("conversations", self._not_our_own(query), {"since": since}):
                if "top" not in page.cursor:
                    newest = str(page.cursor.get("since", since))
                    marks.update({root: max(marks[root], newest, key=int) for root in group})
                yield replace(page, cursor={"roots": dict(marks)})

    def _roots(self) -> list[str]:
        """The conversations to watch: those our newest own posts stand in, once somebody answered or it is not ours
        alone, and those the settings name."""
        named = values.listing(self.account.settings.get("conversations"))
        answer = self._reading.own({})
        own = [one for one in values.objects(answer.get("data")) if _was_answered(one) or _joins_another(one)]
        found = [values.digits(one) for one in named]
        found += [values.digits(one.get("conversation_id") or one.get("id")) for one in own]
        return list(dict.fromkeys(root for root in found if root))

    def _messages(self, cursor: Mapping[str, JSON]) -> Iterator[Page]:
        return x_walk.by_tokens(self._reading.messages, self._reading.message_items, cursor, oldest=MESSAGES_REACH)

    def cursor_at(self, stream: str, moment: datetime) -> Mapping[str, JSON]:
        return {"since": snowflake_at(moment)} if stream in ("mentions", "posts", "messages") else {}

    def lookup(self, external_ids: Iterable[str]) -> tuple[Item, ...]:
        wanted = list(dict.fromkeys(external_ids))[:LOOKUP_LIMIT]
        if not wanted:
            return ()
        answer = self._reading.looked_up(wanted)
        items, _dropped = self._reading.items("lookup", answer)
        return (*items, *_gone(answer, set(wanted)))

    @classmethod
    def challenge(cls, query: Mapping[str, str], secrets: Mapping[str, str]) -> tuple[str, str] | None:
        return x_webhooks.challenge(query, secrets)

    @classmethod
    def signed(cls, body: bytes, headers: Mapping[str, str], secrets: Mapping[str, str]) -> bool:
        return x_webhooks.signed(body, headers, secrets)

    @classmethod
    def parse_event(cls, payload: JSON) -> tuple[Event, ...]:
        return x_events.events(payload)

    def subscribe(self, callback_url: str) -> None:
        x_webhooks.subscribe(self._client, self.us.id, callback_url)

    # -- out --------------------------------------------------------------------------------------------------------

    def verdict(self, action: Action, situation: Situation) -> Verdict:
        return x_rules.verdict(action, situation)

    def send(self, out: Outgoing) -> Sent:
        if out.action == Action.MESSAGE:
            return x_sending.message(self._client, out)
        return x_sending.post(self._client, self.us.handle, out)

    def find_sent(self, out: Outgoing) -> Sent | None:
        return x_sending.find(self._reading, out)

    def hide(self, external_id: str, *, hidden: bool) -> None:
        client = self._client.user
        change = client.hide_reply if hidden else client.unhide_reply
        change(external_id, user_auth=self._client.signs)

    def remove(self, external_id: str) -> None:
        try:
            self._client.user.delete_tweet(external_id, user_auth=self._client.signs)
        except NetworkError as problem:
            if problem.code not in ("404", "resource-not-found"):
                raise

    def length(self, text: str) -> int:
        return x_length.weighted_length(text)


def _was_answered(post: Obj) -> bool:
    replies = values.count(values.mapping(post.get("public_metrics")).get("reply_count"))
    return replies is None or replies > 0


def _joins_another(post: Obj) -> bool:
    """Whether one of our posts answers in a conversation that somebody else began."""
    root = values.digits(post.get("conversation_id"))
    return bool(root) and root != values.digits(post.get("id"))


def _gone(answer: Obj, wanted: set[str]) -> list[Item]:
    """The posts that X says are not there any more, or not for us."""
    reasons = {"resource-not-found": "deleted", "not-authorized-for-resource": "protected"}
    gone: dict[str, Item] = {}
    for problem in values.objects(answer.get("errors")):
        reason = reasons.get(str(problem.get("type", "")).rsplit("/", 1)[-1])
        external_id = values.digits(problem.get("resource_id")) or values.digits(problem.get("value"))
        if reason and external_id in wanted:
            gone[external_id] = Removal(external_id, reason)
    return list(gone.values())
