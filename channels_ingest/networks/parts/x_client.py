"""tweepy, made to speak for one account or its app through our HTTP exit."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import tweepy
from django.utils.translation import gettext as _

from channels_ingest.networks import http
from channels_ingest.networks.base import Account, NetworkError, Trouble
from channels_ingest.networks.parts import values, x_errors
from channels_ingest.networks.parts.values import Obj

ORIGIN = "https://api.twitter.com"  # where tweepy believes X is
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


class Client:
    """Calls for one account: tweepy's own (`user`, `reader`), and those it has no method for. Raises NetworkError."""

    def __init__(self, account: Account) -> None:
        self.account = account

    @cached_property
    def signs(self) -> bool:
        """Whether requests are signed (OAuth 1.0a), or carry an OAuth 2.0 user token."""
        return bool(self.account.credentials.get("access_token_secret"))

    @cached_property
    def user(self) -> Any:
        return self._connect(self.account.credentials.get("access_token", ""), signs=self.signs)

    @cached_property
    def reader(self) -> Any:
        """Reads posts. tweepy does not know the parameter of the post dialect: there the session brings it along."""
        if not self.speaks_post:
            return self.user
        reader = self._connect(self.account.credentials.get("access_token", ""), signs=self.signs)
        reader.session.params = {"post.fields": ",".join(POST_DIALECT_FIELDS)}
        return reader

    @cached_property
    def speaks_post(self) -> bool:
        return self.account.settings.get("dialect") == "post"

    @cached_property
    def app(self) -> Any:
        """Speaks for the app, where X asks for that (webhooks)."""
        token = self.account.credentials.get("bearer_token")
        return self._connect(token, signs=False) if token else self.user

    def _connect(self, token: str, *, signs: bool) -> Any:
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

    def request(self, method: str, path: str, body: Obj | None = None, *, app: bool = False) -> list[Obj]:
        """A call that tweepy has no method for: the objects of its `data` (where X knows the tweet dialect alone, a
        new webhook comes without it)."""
        client = self.app if app else self.user
        signs = self.signs and client is self.user
        answer = client.request(method, path, json=body, user_auth=signs).json()
        found = answer.get("data", answer if "id" in answer else None)
        return [found] if isinstance(found, dict) else list(values.objects(found))

    def new_tokens(self) -> Obj:
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
