"""X (Twitter), by API v2 through tweepy."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from typing import Any, ClassVar

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
    Picture,
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
from channels_ingest.networks.parts import values, x_events, x_length, x_said, x_walk
from channels_ingest.networks.parts.values import Obj, Unusable
from channels_ingest.networks.parts.x_posts import (
    Includes,
    Us,
    author_from,
    includes_of,
    message_from,
    post_from,
    snowflake_at,
)

ORIGIN = "https://api.twitter.com"  # where tweepy believes X is
MENTIONS_REACH = 800  # newest mentions that X still gives
POSTS_REACH = 3_200
SEARCH_REACH = timedelta(days=6, hours=23)  # recent search looks back seven days
MESSAGES_REACH = timedelta(days=30)
QUERY_LIMIT = 512
ROOTS_PER_QUERY = 10
LOOKUP_LIMIT = 100
CLOCKS_DIFFER = timedelta(minutes=5)
READ_BACK_PAGES = 5
ACCESS_LIVES = timedelta(hours=2)  # of an OAuth 2.0 user token, where X does not say

USER_FIELDS = ["name", "username", "profile_image_url", "public_metrics", "verified", "protected", "receives_your_dm"]
MEDIA_FIELDS = ["media_key", "type", "url", "preview_image_url", "alt_text", "variants"]
POST_FIELDS = [
    "attachments",
    "author_id",
    "conversation_id",
    "created_at",
    "edit_controls",
    "edit_history_tweet_ids",
    "entities",
    "in_reply_to_user_id",
    "lang",
    "note_tweet",
    "public_metrics",
    "referenced_tweets",
    "reply_settings",
]
POST_EXPANSIONS = [
    "attachments.media_keys",
    "author_id",
    "entities.mentions.username",
    "in_reply_to_user_id",
    "referenced_tweets.id",
    "referenced_tweets.id.author_id",
]
# The same for an API that knows only the names of August 2026 (account setting "dialect": "post").
POST_DIALECT_FIELDS = [
    "attachments",
    "conversation_id",
    "created_at",
    "edit_controls",
    "entities",
    "lang",
    "note_post",
    "public_metrics",
    "reply_settings",
]
POST_DIALECT_EXPANSIONS = [
    "attachments.media_keys",
    "author_id",
    "edit_history_post_ids",
    "entities.mentions.username",
    "in_reply_to_user_id",
    "referenced_posts",
]
MESSAGE_FIELDS = [
    "attachments",
    "created_at",
    "dm_conversation_id",
    "entities",
    "event_type",
    "id",
    "sender_id",
    "text",
]

PICTURE_BYTES = 5 * 1024 * 1024
PICTURE_TYPES = ("image/jpeg", "image/png", "image/webp")

PUSHED = (
    "post.create",
    "post.delete",
    "post.mention.create",
    "post.reply.create",
    "post.quote.create",
    "dm.received",
    "dm.sent",
)


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

    # -- the client -------------------------------------------------------------------------------------------------

    @cached_property
    def _signs(self) -> bool:
        """Whether requests are signed (OAuth 1.0a), or carry an OAuth 2.0 user token."""
        return bool(self.account.credentials.get("access_token_secret"))

    @cached_property
    def _client(self) -> Any:
        return self._connect(self.account.credentials.get("access_token", ""), signs=self._signs)

    @cached_property
    def _reader(self) -> Any:
        """Reads posts. tweepy does not know the parameter of the post dialect: there the session brings it along."""
        if not self._speaks_post:
            return self._client
        reader = self._connect(self.account.credentials.get("access_token", ""), signs=self._signs)
        reader.session.params = {"post.fields": ",".join(POST_DIALECT_FIELDS)}
        return reader

    @cached_property
    def _speaks_post(self) -> bool:
        return self.account.settings.get("dialect") == "post"

    @cached_property
    def _app_client(self) -> Any:
        """Speaks for the app, where X asks for that (webhooks)."""
        token = self.account.credentials.get("bearer_token")
        return self._connect(token, signs=False) if token else self._client

    def _connect(self, token: str, *, signs: bool) -> Any:
        import tweepy  # heavy: only where X is really called

        from channels_ingest.networks import http
        from channels_ingest.networks.parts import x_errors

        given = self.account.credentials
        if not token or not all(one.isascii() and one.isprintable() for one in given.values()):
            words = _("The access token is missing, or a key contains characters that no key has.")
            raise NetworkError(words, Trouble.BROKEN, code="credentials", advice=_("Connect the account again."))
        keys = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
        signing = {name: given.get(name) for name in keys} if signs else {}
        client = tweepy.Client(bearer_token=token, return_type=dict, wait_on_rate_limit=False, **signing)
        fresh_token = self.account.fresh_token if not signs and token == given.get("access_token") else None
        client.session, _adapter = http.session(
            ORIGIN, self.account.base_url, x_errors.refusal, given.values(), fresh_token
        )
        return client

    # -- who we are -------------------------------------------------------------------------------------------------

    def identify(self) -> Author:
        answer = self._client.get_me(user_auth=self._signs, user_fields=USER_FIELDS)
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
        return bool(self.account.credentials.get("refresh_token")) and not self._signs

    def renew(self) -> Access:
        """https://docs.x.com/resources/fundamentals/authentication/oauth-2-0/authorization-code: an access token lives
        two hours, a refresh token is good once."""
        given = self.account.credentials
        answer = self._ask_for_tokens()
        access_token, lives = values.identifier(answer.get("access_token")), values.count(answer.get("expires_in"))
        if not access_token:
            raise NetworkError(_("X's answer cannot be read."), Trouble.TEMPORARY, ambiguous=True, code="body")
        tokens = {
            "access_token": access_token,
            "refresh_token": values.identifier(answer.get("refresh_token")) or given["refresh_token"],
        }
        ends = datetime.now(UTC) + (timedelta(seconds=lives) if lives else ACCESS_LIVES)
        return Access({**given, **tokens}, renew_before=ends)

    def _ask_for_tokens(self) -> Obj:
        from channels_ingest.networks import http
        from channels_ingest.networks.parts import x_errors

        given = self.account.credentials
        asked = {"grant_type": "refresh_token", "refresh_token": given["refresh_token"]}
        session, _adapter = http.session(ORIGIN, self.account.base_url, x_errors.refusal, given.values())
        client = (given.get("client_id", ""), given.get("client_secret", ""))
        try:
            if client[1]:
                answer = session.post(f"{ORIGIN}/2/oauth2/token", data=asked, auth=client)
            else:  # a public client has no secret
                answer = session.post(f"{ORIGIN}/2/oauth2/token", data={**asked, "client_id": client[0]})
        except NetworkError as problem:
            if problem.trouble == Trouble.TEMPORARY:
                raise
            words = _("X does not renew this access: %(reason)s") % {"reason": problem.message}
            advice = _("Sign in at X again, and enter the new access token and refresh token here.")
            raise NetworkError(words, Trouble.BROKEN, code="sign-in", advice=advice) from None
        return values.mapping(answer.json())

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
        ask = partial(self._list, self._reader.get_users_mentions, self.us.id)
        return x_walk.by_ids(ask, partial(self._read, "mentions"), cursor, reach=MENTIONS_REACH)

    def _posts(self, cursor: Mapping[str, JSON]) -> Iterator[Page]:
        ask = partial(self._list, self._reader.get_users_tweets, self.us.id, exclude=["retweets"])
        return x_walk.by_ids(ask, partial(self._read, "posts"), cursor, reach=POSTS_REACH)

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
        ask = partial(self._list, self._reader.search_recent_tweets, query)
        return x_walk.by_ids(ask, partial(self._read, source), cursor, oldest=SEARCH_REACH)

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
            query = f"({query}) -is:retweet" + (f" -from:{self.us.handle}" if self.us.handle else "")
            since = min((marks[root] for root in group), key=int)
            for page in self._searched("conversations", query, {"since": since}):
                if "top" not in page.cursor:
                    newest = str(page.cursor.get("since", since))
                    marks.update({root: max(marks[root], newest, key=int) for root in group})
                yield replace(page, cursor={"roots": dict(marks)})

    def _roots(self) -> list[str]:
        """The conversations to watch: those our newest own posts stand in, once somebody answered or it is not ours
        alone, and those the settings name."""
        named = values.listing(self.account.settings.get("conversations"))
        answer = self._list(self._reader.get_users_tweets, self.us.id, {}, exclude=["retweets"])
        own = [one for one in values.objects(answer.get("data")) if _was_answered(one) or _joins_another(one)]
        found = [values.digits(one) for one in named]
        found += [values.digits(one.get("conversation_id") or one.get("id")) for one in own]
        return list(dict.fromkeys(root for root in found if root))

    def _messages(self, cursor: Mapping[str, JSON]) -> Iterator[Page]:
        return x_walk.by_tokens(self._list_messages, self._read_messages, cursor, oldest=MESSAGES_REACH)

    def _list(self, call: Callable[..., Obj], about: str, where: Mapping[str, str], **more: Any) -> Obj:
        """One page of posts. `where` says from where: since_id, until_id, token."""
        at = {name: value for name, value in where.items() if name != "token"}
        if "token" in where:
            at["next_token" if "search" in call.__name__ else "pagination_token"] = where["token"]
        return call(about, user_auth=self._signs, max_results=100, **self._wanted, **at, **more)

    @cached_property
    def _wanted(self) -> dict[str, list[str]]:
        about = {"user_fields": USER_FIELDS, "media_fields": MEDIA_FIELDS}
        if self._speaks_post:
            return about | {"expansions": POST_DIALECT_EXPANSIONS}
        return about | {"tweet_fields": POST_FIELDS, "expansions": POST_EXPANSIONS}

    def _list_messages(self, where: Mapping[str, str], **place: str) -> Obj:
        at = {"pagination_token": where["token"]} if "token" in where else {}
        answer: Obj = self._client.get_direct_message_events(
            user_auth=self._signs,
            max_results=100,
            event_types="MessageCreate",
            dm_event_fields=MESSAGE_FIELDS,
            expansions=["sender_id", "attachments.media_keys"],
            user_fields=USER_FIELDS,
            media_fields=MEDIA_FIELDS,
            **at,
            **place,
        )
        return answer

    def _read(self, source: str, answer: Obj) -> tuple[list[Item], list[Dropped]]:
        includes = includes_of(answer)
        return self._sorted_out(answer, lambda raw: post_from(raw, includes, self.us, source))

    def _read_messages(self, answer: Obj) -> tuple[list[Item], list[Dropped]]:
        includes: Includes = includes_of(answer)
        return self._sorted_out(answer, lambda raw: message_from(raw, includes, self.us))

    def _sorted_out(self, answer: Obj, made: Callable[[Obj], Item]) -> tuple[list[Item], list[Dropped]]:
        """The items of a page, and what cannot be one: a bad one does not stop the rest."""
        items: list[Item] = []
        dropped: list[Dropped] = []
        for raw in values.listing(answer.get("data")):
            try:
                items.append(made(raw if isinstance(raw, dict) else {}))
            except Unusable as problem:
                dropped.append(Dropped(str(problem), values.storable(raw)))
        return items, dropped

    def cursor_at(self, stream: str, moment: datetime) -> Mapping[str, JSON]:
        return {"since": snowflake_at(moment)} if stream in ("mentions", "posts", "messages") else {}

    def lookup(self, external_ids: Iterable[str]) -> tuple[Item, ...]:
        wanted = list(dict.fromkeys(external_ids))[:LOOKUP_LIMIT]
        if not wanted:
            return ()
        answer = self._reader.get_tweets(wanted, user_auth=self._signs, **self._wanted)
        items, _dropped = self._read("lookup", answer)
        return (*items, *_gone(answer, set(wanted)))

    @classmethod
    def challenge(cls, query: Mapping[str, str], secrets: Mapping[str, str]) -> tuple[str, str] | None:
        token, secret = query.get("crc_token", ""), secrets.get("consumer_secret", "")
        if not token or not secret:
            return None
        return "application/json", json.dumps({"response_token": _signature(secret, token.encode("utf-8", "replace"))})

    @classmethod
    def signed(cls, body: bytes, headers: Mapping[str, str], secrets: Mapping[str, str]) -> bool:
        secret = secrets.get("consumer_secret", "")
        given = headers.get("x-twitter-webhooks-signature", "")
        return bool(secret) and hmac.compare_digest(_signature(secret, body).encode(), given.encode("utf-8", "replace"))

    @classmethod
    def parse_event(cls, payload: JSON) -> tuple[Event, ...]:
        return x_events.events(payload)

    def subscribe(self, callback_url: str) -> None:
        webhook_id = self._webhook(callback_url)
        there = {
            (one.get("event_type"), values.mapping(one.get("filter")).get("user_id"), one.get("webhook_id"))
            for one in self._request("GET", "/2/activity/subscriptions")
        }
        for event_type in PUSHED:
            if (event_type, self.us.id, webhook_id) not in there:
                self._subscribe_to(event_type, webhook_id)

    def _webhook(self, callback_url: str) -> str:
        """The id of the webhook at that address, made or made valid again where needed."""
        known = self._request("GET", "/2/webhooks", app=True)
        found = next((one for one in known if one.get("url") == callback_url), None)
        if found is None:
            found = next(iter(self._request("POST", "/2/webhooks", {"url": callback_url}, app=True)), {})
        elif found.get("valid") is not True:
            self._request("PUT", f"/2/webhooks/{values.digits(found.get('id'))}", app=True)
        webhook_id = values.digits(found.get("id"))
        if not webhook_id:
            raise NetworkError(_("X did not register the webhook."), Trouble.TEMPORARY, code="webhook")
        return webhook_id

    def _subscribe_to(self, event_type: str, webhook_id: str) -> None:
        asked = {
            "event_type": event_type,
            "filter": {"user_id": self.us.id},
            "tag": event_type,
            "webhook_id": webhook_id,
        }
        try:
            self._request("POST", "/2/activity/subscriptions", asked)
        except NetworkError as problem:
            # An event that this access does not offer, or one that is subscribed already: polling still brings it.
            if problem.trouble != Trouble.PERMANENT:
                raise

    def _request(self, method: str, path: str, body: Obj | None = None, *, app: bool = False) -> list[Obj]:
        """A call that tweepy has no method for: the objects of its `data` (where X knows the tweet dialect alone, a
        new webhook comes without it)."""
        client = self._app_client if app else self._client
        signs = self._signs and client is self._client
        answer = client.request(method, path, json=body, user_auth=signs).json()
        found = answer.get("data", answer if "id" in answer else None)
        return [found] if isinstance(found, dict) else list(values.objects(found))

    # -- out --------------------------------------------------------------------------------------------------------

    def verdict(self, action: Action, situation: Situation) -> Verdict:
        if situation.removed:
            return Verdict(False, _("This was deleted on X."))
        public = situation.visibility == Visibility.PUBLIC
        match action:
            case Action.REPLY:
                return (
                    _may_reply(situation)
                    if public
                    else Verdict(False, _("Answer a direct message by a direct message."))
                )
            case Action.MESSAGE:
                return _may_message(situation)
            case Action.HIDE:
                return _may_hide(situation) if public else Verdict(False, _("Only public replies can be hidden."))
            case Action.DELETE:
                ours = situation.ours
                return Verdict(ours, "" if ours else _("Only what this account wrote itself can be deleted."))
            case Action.BLOCK:  # POST /2/users/:id/blocking is no longer part of the other plans
                return Verdict(False, _("X lets only Enterprise programs block people: block on their profile there."))

    def send(self, out: Outgoing) -> Sent:
        return self._send_message(out) if out.action == Action.MESSAGE else self._send_post(out)

    def _send_post(self, out: Outgoing) -> Sent:
        parent = str(out.facts.get("latest_id") or out.parent_id) or None
        pictures = self._upload(out, "tweet_image")
        answer = self._client.create_tweet(
            text=out.text, in_reply_to_tweet_id=parent, media_ids=pictures or None, user_auth=self._signs
        )
        external_id = self._accepted(values.digits(values.mapping(answer.get("data")).get("id")))
        return Sent(external_id, f"https://x.com/{self.us.handle or 'i'}/status/{external_id}")

    def _send_message(self, out: Outgoing) -> Sent:
        pictures = self._upload(out, "dm_image")
        answer = self._client.create_direct_message(
            participant_id=out.recipient_id or None,
            dm_conversation_id=None if out.recipient_id else out.root_id,
            text=out.text,
            media_id=pictures[0] if pictures else None,
            user_auth=self._signs,
        )
        data = values.mapping(answer.get("data"))
        external_id = self._accepted(values.digits(data.get("dm_event_id")))
        return Sent(external_id, f"https://x.com/messages/{values.identifier(data.get('dm_conversation_id'))}")

    def _upload(self, out: Outgoing, category: str) -> list[str]:
        """The ids of its pictures. Whatever goes wrong here, nothing was said yet."""
        try:
            return [self._upload_one(picture, category) for picture in out.pictures]
        except NetworkError as problem:
            problem.ambiguous = False
            raise

    def _upload_one(self, picture: Picture, category: str) -> str:
        encoded = base64.b64encode(picture.content).decode()
        asked = {"media": encoded, "media_category": category, "media_type": picture.content_type}
        (found,) = self._request("POST", "/2/media/upload", asked) or [{}]
        media_id = self._accepted(values.digits(found.get("id")))
        if picture.alt:
            described = {"id": media_id, "metadata": {"alt_text": {"text": picture.alt}}}
            self._request("POST", "/2/media/metadata", described)
        return media_id

    @staticmethod
    def _accepted(external_id: str) -> str:
        if not external_id:
            raise NetworkError(_("X's answer cannot be read."), Trouble.TEMPORARY, ambiguous=True, code="body")
        return external_id

    def find_sent(self, out: Outgoing) -> Sent | None:
        for page in self._latest(out):
            for item in page:
                if item.external_id not in out.already and x_said.is_it(item, out, self.us.id):
                    return Sent(item.external_id, item.permalink)
        return None

    def _latest(self, out: Outgoing) -> Iterator[list[Any]]:
        """What we said lately where `out` would stand, newest first, back to before the first attempt."""
        began = (out.started_at or datetime.now(UTC) - timedelta(days=1)) - CLOCKS_DIFFER
        where: dict[str, str] = {}
        for _number in range(READ_BACK_PAGES):
            answer = self._said(out, where)
            items, _dropped = (self._read_messages if out.action == Action.MESSAGE else partial(self._read, "posts"))(
                answer
            )
            found = [item for item in items if not isinstance(item, Removal)]
            yield [item for item in found if getattr(item, "posted_at", began) >= began]
            token = values.identifier(values.mapping(answer.get("meta")).get("next_token"))
            if not token or any(getattr(item, "posted_at", began) < began for item in found):
                return
            where = {"token": token}

    def _said(self, out: Outgoing, where: Mapping[str, str]) -> Obj:
        if out.action != Action.MESSAGE:
            return self._list(self._reader.get_users_tweets, self.us.id, where, exclude=["retweets"])
        place = {"participant_id": out.recipient_id} if out.recipient_id else {"dm_conversation_id": out.root_id}
        return self._list_messages(where, **place)

    def hide(self, external_id: str, *, hidden: bool) -> None:
        change = self._client.hide_reply if hidden else self._client.unhide_reply
        change(external_id, user_auth=self._signs)

    def remove(self, external_id: str) -> None:
        try:
            self._client.delete_tweet(external_id, user_auth=self._signs)
        except NetworkError as problem:
            if problem.code not in ("404", "resource-not-found"):
                raise

    def length(self, text: str) -> int:
        return x_length.weighted_length(text)


def _signature(secret: str, body: bytes) -> str:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return "sha256=" + base64.b64encode(digest).decode()


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


def _may_reply(situation: Situation) -> Verdict:
    """Rule of 23 February 2026 (docs.x.com, manage posts): a reply by API only where its author named or quoted us."""
    if situation.ours:
        return Verdict(True)
    if not situation.facts.get("summoned"):
        reason = _(
            "X lets an app answer only who mentioned or quoted this account. Open the post on X to answer there."
        )
        return Verdict(False, reason)
    if situation.facts.get("reply_settings") not in (None, "everyone", "mentionedUsers"):
        return Verdict(True, _("The author limits who may reply: X may refuse this answer."))
    return Verdict(True)


def _may_message(situation: Situation) -> Verdict:
    if situation.ours:
        return Verdict(False, _("This account wrote this itself."))
    if situation.facts.get("can_dm") is False and situation.last_private_in is None:
        return Verdict(False, _("This person does not receive direct messages from this account."))
    return Verdict(True)


def _may_hide(situation: Situation) -> Verdict:
    if situation.ours:
        return Verdict(False, _("Our own posts can be deleted, not hidden."))
    if not situation.facts.get("our_conversation"):
        return Verdict(False, _("Only replies in a conversation that this account began can be hidden."))
    return Verdict(True)
