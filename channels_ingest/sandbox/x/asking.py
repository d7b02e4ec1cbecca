"""What a request to X asks for: dialect, fields, expansions, bounds. Names inside are the tweet dialect's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from . import problems
from .problems import Dialect

POST_TO_TWEET = {
    "referenced_posts": "referenced_tweets",
    "edit_history_post_ids": "edit_history_tweet_ids",
    "note_post": "note_tweet",
    "most_recent_post_id": "most_recent_tweet_id",
    "pinned_post_id": "pinned_tweet_id",
}
EXPANSION_TO_TWEET = {
    "referenced_posts": "referenced_tweets.id",
    "referenced_posts.id": "referenced_tweets.id",
    "referenced_posts.id.author_id": "referenced_tweets.id.author_id",
    "referenced_posts.author_id": "referenced_tweets.id.author_id",
    "edit_history_post_ids": "edit_history_tweet_ids",
    "most_recent_post_id": "most_recent_tweet_id",
    "pinned_post_id": "pinned_tweet_id",
    "affiliation": "affiliation.user_id",
    "username": "author_id",
}
POST_FIELDS = frozenset(
    [
        "article",
        "article_title",
        "attachments",
        "author_id",
        "card_uri",
        "community_id",
        "context_annotations",
        "conversation_id",
        "created_at",
        "display_text_range",
        "edit_controls",
        "edit_history_tweet_ids",
        "entities",
        "geo",
        "id",
        "in_reply_to_user_id",
        "lang",
        "matched_media_notes",
        "media_metadata",
        "non_public_metrics",
        "note_request_suggestions",
        "note_tweet",
        "organic_metrics",
        "paid_partnership",
        "possibly_sensitive",
        "promoted_metrics",
        "public_metrics",
        "referenced_tweets",
        "reply_settings",
        "scopes",
        "source",
        "suggested_source_links",
        "suggested_source_links_with_counts",
        "text",
        "withheld",
    ]
)
USER_FIELDS = frozenset(
    [
        "affiliation",
        "confirmed_email",
        "connection_status",
        "created_at",
        "description",
        "entities",
        "id",
        "is_identity_verified",
        "location",
        "most_recent_tweet_id",
        "name",
        "parody",
        "pinned_tweet_id",
        "profile_banner_url",
        "profile_image_url",
        "protected",
        "public_metrics",
        "receives_your_dm",
        "subscribes_to_you",
        "subscription",
        "subscription_type",
        "url",
        "username",
        "verified",
        "verified_followers_count",
        "verified_type",
        "withheld",
    ]
)
MEDIA_FIELDS = frozenset(
    [
        "alt_text",
        "duration_ms",
        "height",
        "media_key",
        "non_public_metrics",
        "organic_metrics",
        "preview_image_url",
        "promoted_metrics",
        "public_metrics",
        "type",
        "url",
        "variants",
        "width",
    ]
)
DM_FIELDS = frozenset(
    [
        "attachments",
        "created_at",
        "dm_conversation_id",
        "entities",
        "event_type",
        "id",
        "participant_ids",
        "referenced_tweets",
        "sender_id",
        "text",
    ]
)
PLACE_FIELDS = frozenset(
    ["contained_within", "country", "country_code", "full_name", "geo", "id", "name", "place_type"]
)
POLL_FIELDS = frozenset(["duration_minutes", "end_datetime", "id", "options", "voting_status"])
POST_EXPANSIONS = frozenset(
    [
        "article.cover_media",
        "article.media_entities",
        "attachments.media_keys",
        "attachments.media_source_tweet",
        "attachments.poll_ids",
        "author_id",
        "edit_history_tweet_ids",
        "entities.mentions.username",
        "geo.place_id",
        "in_reply_to_user_id",
        "entities.note.mentions.username",
        "referenced_tweets.id",
        "referenced_tweets.id.attachments.media_keys",
        "referenced_tweets.id.author_id",
    ]
)
USER_EXPANSIONS = frozenset(["affiliation.user_id", "most_recent_tweet_id", "pinned_tweet_id"])
DM_EXPANSIONS = frozenset(["attachments.media_keys", "participant_ids", "referenced_tweets.id", "sender_id"])
NUMERIC_ID = re.compile(r"[0-9]{1,19}")


@dataclass(frozen=True, slots=True)
class Ask:
    """Which names to speak and what to put into the answer."""

    dialect: Dialect
    post: frozenset[str] = field(default_factory=frozenset)
    user: frozenset[str] = field(default_factory=frozenset)
    media: frozenset[str] = field(default_factory=frozenset)
    dm: frozenset[str] = field(default_factory=frozenset)
    expansions: frozenset[str] = field(default_factory=frozenset)


def dialect_of(query: Mapping[str, str], default: Dialect) -> Dialect:
    """The dialect the caller's parameters betray."""
    if "post.fields" in query:
        return "post"
    if "tweet.fields" in query:
        return "tweet"
    expansions = query.get("expansions", "")
    if "_post" in expansions or "referenced_posts" in expansions:
        return "post"
    return "tweet" if "tweet" in expansions else default


def ask(query: Mapping[str, str], default: Dialect, expansions: frozenset[str]) -> Ask:
    """Raises Problem (400) for a field or expansion X does not know."""
    dialect = dialect_of(query, default)
    post = _names(query, "tweet.fields", POST_FIELDS) | _names(query, "post.fields", POST_FIELDS)
    wanted = _names(query, "expansions", expansions, EXPANSION_TO_TWEET)
    _names(query, "place.fields", PLACE_FIELDS)
    _names(query, "poll.fields", POLL_FIELDS)
    return Ask(
        dialect,
        post=post | _fields_of_expansions(wanted),
        user=_names(query, "user.fields", USER_FIELDS),
        media=_names(query, "media.fields", MEDIA_FIELDS),
        dm=_names(query, "dm_event.fields", DM_FIELDS) | (wanted & {"sender_id", "participant_ids"}),
        expansions=wanted,
    )


def _fields_of_expansions(wanted: frozenset[str]) -> frozenset[str]:
    """An expansion brings along the field it expands."""
    brings = {
        "author_id": "author_id",
        "in_reply_to_user_id": "in_reply_to_user_id",
        "referenced_tweets.id": "referenced_tweets",
        "referenced_tweets.id.author_id": "referenced_tweets",
        "attachments.media_keys": "attachments",
        "entities.mentions.username": "entities",
    }
    return frozenset(brings[one] for one in wanted if one in brings)


def _names(
    query: Mapping[str, str], parameter: str, known: frozenset[str], renamed: Mapping[str, str] = POST_TO_TWEET
) -> frozenset[str]:
    if parameter not in query:
        return frozenset()
    given = [name for name in query[parameter].split(",") if name]
    for name in given:
        if renamed.get(name, name) not in known:
            raise problems.invalid(parameter, name, f"The `{parameter}` query parameter value [{name}] is not valid")
    return frozenset(renamed.get(name, name) for name in given)


def number(query: Mapping[str, str], name: str, low: int, high: int, default: int) -> int:
    """Raises Problem (400) outside of the bounds."""
    given = query.get(name)
    if given is None:
        return default
    if not given.isdecimal() or not low <= int(given) <= high:
        raise problems.invalid(
            name, given, f"The `{name}` query parameter value [{given}] is not between {low} and {high}"
        )
    return int(given)


def numeric_id(name: str, value: str) -> str:
    """Raises Problem (400)."""
    if not NUMERIC_ID.fullmatch(value):
        raise problems.invalid(name, value, f"The `{name}` query parameter value [{value}] is not valid")
    return value


def moment(query: Mapping[str, str], name: str) -> int | None:
    """A time parameter as UTC ms. Raises Problem (400)."""
    given = query.get(name)
    if given is None:
        return None
    try:
        parsed = datetime.fromisoformat(given)
    except ValueError:
        raise problems.invalid(name, given, f"Invalid '{name}': [{given}] is not RFC 3339") from None
    if parsed.tzinfo is None:
        raise problems.invalid(name, given, f"Invalid '{name}': [{given}] has no time zone")
    return int(parsed.timestamp() * 1000)
