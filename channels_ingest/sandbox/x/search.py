"""The part of X's query language that a support desk uses.

Words, "phrases", @name, #tag, from:, to:, conversation_id:, in_reply_to_tweet_id:, lang:, is:reply, is:quote,
is:retweet, has:links, has:mentions, has:media; OR, parentheses, and - before any of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from .. import text as texts
from ..things import Item
from ..world import World, mentioned

Test = Callable[[World, Item], bool]
TOKEN = re.compile(r'\s*(-?)(?:(\()|(\))|(\w+:)?"([^"]*)"|([^\s()"]+))')
LONGEST = 512


class BadQuery(ValueError):
    """The query cannot be understood; the message says where."""


@dataclass(frozen=True, slots=True)
class Query:
    """`test` tells whether a post matches; `conversations` are the only trees it can match in, if it names any."""

    test: Test
    conversations: tuple[str, ...] = ()


def parse(text: str) -> Query:
    """Raises BadQuery."""
    if len(text) > LONGEST:
        raise BadQuery(f"Rule length exceeds the max length of {LONGEST}.")
    tokens = _tokens(text)
    if not tokens:
        raise BadQuery("The query is empty.")
    query, rest = _either(tokens)
    if rest:
        raise BadQuery(f"Reached an unexpected {rest[0][1]!r}.")
    return query


Token = tuple[bool, str, str]


def _tokens(text: str) -> list[Token]:
    found: list[Token] = []
    position = 0
    text = text.strip()
    while position < len(text):
        match = TOKEN.match(text, position)
        if match is None or match.end() == position:
            raise BadQuery(f"Cannot read the query at position {position}.")
        minus, opening, closing, operator, phrase, word = match.groups()
        if opening or closing:
            found.append((bool(minus), opening or closing, "paren"))
        elif phrase is not None:
            found.append((bool(minus), (operator or "") + phrase, "term" if operator else "phrase"))
        else:
            found.append((bool(minus), word, "term"))
        position = match.end()
    return found


def _either(tokens: list[Token]) -> tuple[Query, list[Token]]:
    query, tokens = _all(tokens)
    queries = [query]
    while tokens and tokens[0][1] == "OR":
        query, tokens = _all(tokens[1:])
        queries.append(query)
    tests = [one.test for one in queries]
    bound = all(one.conversations for one in queries)
    named = dict.fromkeys(root for one in queries for root in one.conversations)
    return Query(lambda world, item: any(one(world, item) for one in tests), tuple(named) if bound else ()), tokens


def _all(tokens: list[Token]) -> tuple[Query, list[Token]]:
    queries: list[Query] = []
    while tokens and tokens[0][1] not in ("OR", ")"):
        query, tokens = _one(tokens)
        queries.append(query)
    if not queries:
        raise BadQuery("Something is missing beside an OR or inside parentheses.")
    tests = [one.test for one in queries]
    named = next((one.conversations for one in queries if one.conversations), ())
    return Query(lambda world, item: all(one(world, item) for one in tests), named), tokens


def _one(tokens: list[Token]) -> tuple[Query, list[Token]]:
    negated, word, kind = tokens[0]
    if kind == "paren":
        query, rest = _either(tokens[1:])
        if not rest or rest[0][1] != ")":
            raise BadQuery("A parenthesis is not closed.")
        rest = rest[1:]
    else:
        query, rest = (Query(_phrase(word)) if kind == "phrase" else _word(word)), tokens[1:]
    return (Query(lambda world, item: not query.test(world, item)) if negated else query), rest


def _word(word: str) -> Query:
    operator, _, value = word.partition(":")
    return Query(_term(word), (value,) if operator == "conversation_id" and value else ())


def _phrase(phrase: str) -> Test:
    words = _words(phrase)
    return lambda _, item: f" {words} " in f" {_words(item.text)} "


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def _term(word: str) -> Test:
    if word.startswith("@"):
        return lambda _, item: word[1:].lower() in mentioned(item.text)
    if word.startswith("#"):
        return lambda _, item: any(tag[1].lower() == word[1:].lower() for tag in texts.HASHTAG.finditer(item.text))
    operator, colon, value = word.partition(":")
    if colon and operator in _OPERATORS:
        return _OPERATORS[operator](value)
    return _phrase(word)


def _from(value: str) -> Test:
    return lambda world, item: item.author == _member_id(world, value)


def _to(value: str) -> Test:
    def test(world: World, item: Item) -> bool:
        parent = world.items["x"].get(item.parent or "")
        return parent is not None and parent.author == _member_id(world, value)

    return test


def _member_id(world: World, value: str) -> str | None:
    member = world.by_username("x", value.lstrip("@"))
    return member.id if member else value


def _is(value: str) -> Test:
    tests: dict[str, Test] = {
        "reply": lambda _, item: item.parent is not None,
        "quote": lambda _, item: item.quoted is not None,
        "retweet": lambda _w, _i: False,
        "verified": lambda world, item: bool((author := world.member("x", item.author)) and author.verified),
    }
    return _known(tests, "is", value)


def _has(value: str) -> Test:
    tests: dict[str, Test] = {
        "links": lambda _, item: texts.links(item.text),
        "mentions": lambda _, item: bool(mentioned(item.text)),
        "media": lambda _, item: bool(item.media),
        "images": lambda _, item: bool(item.media),
        "hashtags": lambda _, item: texts.HASHTAG.search(item.text) is not None,
    }
    return _known(tests, "has", value)


def _known(tests: dict[str, Test], operator: str, value: str) -> Test:
    if value not in tests:
        raise BadQuery(f"{operator}:{value} is not a known operator.")
    return tests[value]


_OPERATORS: dict[str, Callable[[str], Test]] = {
    "from": _from,
    "to": _to,
    "is": _is,
    "has": _has,
    "conversation_id": lambda value: lambda world, item: world.root_of(item) == value,
    "in_reply_to_tweet_id": lambda value: lambda _, item: item.parent == value,
    "lang": lambda value: lambda _, item: item.lang == value,
}
