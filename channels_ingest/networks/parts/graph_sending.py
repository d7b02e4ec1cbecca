"""Says things on Facebook and in Messenger, and reads back what was said."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from channels_ingest.networks.base import Action, CannotReadBack, NetworkError, Outgoing, Post, Sent, Trouble
from channels_ingest.networks.parts import graph_objects, graph_said, graph_walk, values
from channels_ingest.networks.parts.graph_objects import GONE
from channels_ingest.networks.parts.graph_rules import HUMAN_WINDOW, OPEN_WINDOW
from channels_ingest.networks.parts.values import Obj

if TYPE_CHECKING:
    from channels_ingest.networks.parts.graph_client import Graph
    from channels_ingest.networks.parts.graph_reading import Reading

READ_BACK_PAGES = 5
CLOCKS_DIFFER = timedelta(minutes=5)
CLOCKS_AGREE = timedelta(seconds=5)  # usually; Graph tells whole seconds


def comment(graph: Graph, page_id: str, out: Outgoing) -> Sent:
    """An answer in public, or a post of our own. Raises NetworkError."""
    where = (out.parent_id, "comments") if out.parent_id else (page_id, "feed")
    answer = graph.put(*where, message=out.text, **_pictured(graph, page_id, out))
    external_id = _accepted(answer.get("id"))
    return Sent(external_id, f"https://www.facebook.com/{external_id}")


def _pictured(graph: Graph, page_id: str, out: Outgoing) -> dict[str, str]:
    """The parameter that puts its picture below a comment. Whatever goes wrong here, nothing was said yet."""
    if not out.pictures:
        return {}
    try:
        return {"attachment_id": _accepted(graph.photo(page_id, out.pictures[0]).get("id"))}
    except NetworkError as problem:
        problem.ambiguous = False
        raise


def message(graph: Graph, page_id: str, out: Outgoing) -> Sent:
    """One call, also with a picture: developers.facebook.com/docs/messenger-platform/send-messages/saving-assets
    (`filedata`), which takes either words or an attachment."""
    given = {"recipient": _recipient(out), **_window_of(out, datetime.now(UTC))}
    if not out.pictures:
        words = {"text": out.text, "metadata": out.key}
        answer = graph.put(page_id, "messages", message=words, **given)
    elif out.text:
        raise NetworkError(_("Messenger takes a picture as a message of its own."), Trouble.PERMANENT, code="both")
    else:
        shown = {"attachment": {"type": "image", "payload": {"is_reusable": False}}, "metadata": out.key}
        picture = out.pictures[0]
        answer = graph.put_picture(page_id, "messages", "filedata", picture, message=shown, **given)
    return Sent(_accepted(answer.get("message_id")))


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


def find(reading: Reading, out: Outgoing) -> Sent | None:
    """What `out` became; None where it is not there. Raises CannotReadBack, NetworkError."""
    began = (out.started_at or datetime.now(UTC) - timedelta(days=1)) - CLOCKS_DIFFER
    lately = (item for item in _said_since(reading, out, began) if item.external_id not in out.already)
    ours = (item for item in lately if graph_said.is_it(item, out, reading.page.id))
    found = next(ours, None)
    if found is not None and not out.text and not _is_the_picture([found, *ours], out):
        raise CannotReadBack(_("A picture is there, but it may be another one. Look there, then decide."))
    return Sent(found.external_id, found.permalink) if found else None


def _said_since(reading: Reading, out: Outgoing, began: datetime) -> Iterator[Post]:
    """What was said lately where `out` would stand, the newest first."""
    for ask, make in _places(reading, out):
        try:
            yield from _lately(ask, make, began)
        except NetworkError as problem:
            if problem.code != GONE:
                raise
            # What was answered is gone, and all that stood below it with it.


def _places(reading: Reading, out: Outgoing) -> Iterator[tuple[graph_walk.Ask, graph_walk.Make]]:
    if out.action == Action.MESSAGE:
        for conversation in _conversations_of(reading, out):
            ask = partial(reading.edge, str(conversation["id"]), "messages", graph_objects.MESSAGE_FIELDS)
            yield ask, partial(reading.message, conversation=conversation)
    elif out.parent_id:
        root = out.root_id or out.parent_id
        make = partial(graph_objects.comment_from, root_id=root, page=reading.page, source="comments")
        yield partial(reading.comments_under, root), make
    else:
        ask = partial(reading.edge, reading.page.id, "feed", graph_objects.POST_FIELDS)
        yield ask, partial(graph_objects.post_from, page=reading.page, source="feed")


def _conversations_of(reading: Reading, out: Outgoing) -> list[Obj]:
    """The conversation with the person; for a private reply to somebody unknown in private, the newest ones."""
    asked = {"user_id": out.recipient_id} if out.recipient_id and not out.private_reply else {}
    fields = "id,updated_time,participants"
    answer = reading.edge(reading.page.id, "conversations", fields, "", platform="messenger", **asked)
    rows = [row for row in values.objects(answer.get("data")) if values.identifier(row.get("id"))]
    if not asked:
        return rows[:10]
    return [row for row in rows if out.recipient_id in _people(row)]


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
