"""facebook-sdk, made to speak the current Graph API through our HTTP exit."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import warnings
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from channels_ingest.networks import http
from channels_ingest.networks.base import NetworkError, Picture, Trouble
from channels_ingest.networks.parts import graph_errors, values
from channels_ingest.networks.parts.values import Obj

ORIGIN = "https://graph.facebook.com"
VERSION = re.compile(r"v\d{2}\.\d")
PAGE_SIZE = 100


def _library() -> Any:
    with warnings.catch_warnings():
        # Its source of 2018 holds an escape that Python 3.11 warns of while compiling.
        warnings.simplefilter("ignore")
        import facebook

    return facebook


class Graph:
    """Calls for one token. Raises NetworkError alone; `hidden` are more words that no error may show."""

    def __init__(
        self, token: str, *, version: str, base_url: str = "", app_secret: str = "", hidden: Iterable[str] = ()
    ) -> None:
        if not token or not (token.isascii() and token.isprintable()):
            raise NetworkError("The access token is missing or damaged.", Trouble.BROKEN, code="credentials")
        if not VERSION.fullmatch(version):
            raise NetworkError(f"{version[:20]!r} is no version of the Graph API.", Trouble.BROKEN, code="version")
        session, self._adapter = http.session(ORIGIN, base_url, graph_errors.refusal, (token, app_secret, *hidden))
        if app_secret and "|" not in token:
            # Proves that the caller knows the app's secret: a stolen token alone is then of no use.
            proof = hmac.new(app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()
            session.params = {"appsecret_proof": proof}
        self._api = _library().GraphAPI(access_token=token, session=session)
        self._api.version = version  # the constructor accepts only versions that are long dead

    def node(self, node: str, **asked: str) -> Obj:
        return values.mapping(self._api.get_object(_path(node), **asked))

    def exchange(self, **asked: str) -> Obj:
        """A token for another one."""
        return values.mapping(self._api.get_object("oauth/access_token", **asked))

    def edge(self, node: str, edge: str, *, after: str = "", **asked: str) -> Obj:
        """One page of an edge, `after` the cursor of the page before."""
        where = {"after": after} if after else {}
        return values.mapping(self._api.get_connections(_path(node), edge, limit=PAGE_SIZE, **asked, **where))

    def put(self, node: str, edge: str, **given: object) -> Obj:
        return values.mapping(self._api.put_object(_path(node), edge, **_parameters(given)))

    def put_picture(self, node: str, edge: str, name: str, picture: Picture, **given: object) -> Obj:
        """`put` with a picture as the file `name`, all in one call."""
        path = f"{self._api.version}/{_path(node)}/{edge}"
        file_name = f"picture.{picture.content_type.partition('/')[2]}"
        files = {name: (file_name, picture.content, picture.content_type)}
        return values.mapping(self._api.request(path, post_args=_parameters(given), files=files, method="POST"))

    def photo(self, page: str, picture: Picture) -> Obj:
        """A picture of the Page that nobody sees yet, to be attached to something."""
        return self.put_picture(page, "photos", "source", picture, published="false", temporary="true")

    def change(self, node: str, **given: str) -> None:
        _done(self._api.request(f"{self._api.version}/{_path(node)}", post_args=given, method="POST"))

    def delete(self, node: str) -> None:
        _done(self._api.delete_object(_path(node)))

    def take_from(self, node: str, edge: str, **asked: str) -> None:
        """Takes something off an edge."""
        _done(self._api.request(f"{self._api.version}/{_path(node)}/{edge}", args=asked, method="DELETE"))

    def now(self) -> datetime:
        """The time on Graph's clock at its latest answer."""
        last = self._adapter.last
        return http.network_now(last.headers) if last is not None else datetime.now(UTC)


def _parameters(given: Mapping[str, object]) -> dict[str, str]:
    return {name: one if isinstance(one, str) else json.dumps(one) for name, one in given.items()}


def _path(node: str) -> str:
    """An id as a part of a path. Raises NetworkError for what could lead elsewhere."""
    if not re.fullmatch(r"[\w.:|=-]{1,255}", node):
        raise NetworkError("This is no id of Facebook.", Trouble.PERMANENT, code="id")
    return node


def _done(answer: object) -> None:
    if answer is not True and values.mapping(answer).get("success") is not True:
        raise NetworkError("Facebook did not say that it was done.", Trouble.TEMPORARY, ambiguous=True, code="body")
