"""What the product is made to do in a child process: each function is one act, with plain JSON in and out."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import multiprocessing
import os
import uuid
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import failpoints
from accounts.models import ApiKey, Brand, Digest, User
from accounts.roles import Role
from channels_ingest import connect as connecting
from channels_ingest import notices, renewal, wake, webhooks
from channels_ingest import pull as pulling
from channels_ingest.models import App, Channel, Reconcile, WebhookEvent
from channels_ingest.networks import networks
from channels_ingest.networks.base import Action
from channels_ingest.vault import Sealed
from contacts import merge as merging
from contacts.models import Contact, Identity, Merge
from conversations import actions, attachments, deliver, digest, notify, search
from conversations.models import Delivery, Interaction, Thread
from conversations.reconcile import recheck_due, reconcile_due
from conversations.reply import reply as write_reply
from scrm import services
from tests.faults import planted

DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="  # a picture

NETWORKS = {"x": "twitter", "facebook": "facebook"}
MEETING_SECONDS = 30.0  # for which one process waits for the others


def warm_up() -> None:
    """Loads what is loaded late, so that children begin at once."""
    import facebook  # noqa: F401
    import tweepy  # noqa: F401

    import scrm.urls  # noqa: F401
    from channels_ingest.networks import http  # noqa: F401
    from channels_ingest.networks.parts import graph_client, x_errors  # noqa: F401

    networks()


def arm(trap: dict[str, str]) -> None:
    """Sets the trap; with FAILPOINT_SQL every statement is a failpoint too. A worker that is woken before the commit
    is one as well."""
    failpoints.arm(trap)
    call = wake.up

    def up(task: str, *args: Any) -> None:
        if connection.in_atomic_block:
            failpoints.failpoint("published in a transaction")
        call(task, *args)

    wake.up = up
    if trap.get("FAILPOINT_SQL"):

        def watched(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            found = execute(sql, params, many, context)
            failpoints.failpoint("sql." + " ".join(sql.split()[:3]))
            return found

        connection.execute_wrappers.append(watched)


def connect(kind: str, brand: dict[str, Any]) -> dict[str, Any]:
    """A channel for a sandbox brand, with a brand and an agent of its own."""
    fields = {name: brand["credentials"][name] for name in brand["credentials"] if name not in ("access_token",)}
    adapter = networks()[NETWORKS[kind]]
    app, _ = App.objects.get_or_create(
        network=adapter.key,
        key=brand["credentials"][adapter.app_field or "app_id"],
        defaults={"secrets": Sealed(fields)},
    )
    house = Brand.objects.create(name=brand["username"], slug=brand["username"], undo_seconds=0)
    channel = Channel.objects.create(
        brand=house,
        network=adapter.key,
        external_id=brand["id"],
        handle=brand["username"],
        name=brand["name"],
        app=app,
        credentials=Sealed(access_token=brand["credentials"]["access_token"]),
        base_url=brand["base_url"],
        state=Channel.State.ACTIVE,
    )
    agent = User.objects.create_user(f"{brand['username']}@example.com", None, name="Ana", role=Role.AGENT)
    agent.brands.set([house])
    return {"channel": channel.pk, "hook": f"/hooks/{adapter.key}/{app.hook_id}/", "agent": agent.pk}


def connect_all(kind: str, brands: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same for many."""
    return [connect(kind, brand) for brand in brands]


def each(calls: list[tuple[str, dict[str, Any]]]) -> list[Any]:
    """Many acts in one process, one after the other."""
    return [globals()[act](**args) for act, args in calls]


def pull(channel: int) -> dict[str, int]:
    """A whole pull of one channel."""
    recorded = pulling.pull_channel(channel, everything=True)
    return {"stored": recorded.stored, "known": recorded.known}


def hook(path: str, body: str, headers: dict[str, str]) -> None:
    """A webhook request. Raises where it is not answered 200."""
    given = {
        "HTTP_" + name.upper().replace("-", "_"): value
        for name, value in headers.items()
        if name not in ("host", "content-length", "content-type")
    }
    answer = Client().post(path, base64.b64decode(body), content_type="application/json", **given)  # type: ignore[arg-type]
    if answer.status_code != 200:
        raise AssertionError(f"the webhook was answered {answer.status_code}: {answer.content[:200]!r}")
    with (services.data_dir() / "answered").open("a") as ledger:
        ledger.write(hashlib.sha256(base64.b64decode(body)).hexdigest() + "\n")
    failpoints.failpoint("hook.answered")
    for late in planted.AFTER_THE_ANSWER:
        late()


def store_poison(path: str, body: str) -> None:
    """An authentic body that makes no sense is taken."""
    app = App.objects.get(hook_id=path.strip("/").split("/")[-1])
    webhooks.store(app, base64.b64decode(body))


def process() -> int:
    """Stored webhooks become posts."""
    return webhooks.process_due()


def reply(channel: int, agent: int, text: str, key: str, action: str = "reply") -> int:
    """The agent answers in the channel's one thread; returns the interaction's id."""
    thread = Thread.objects.filter(channel_id=channel).order_by("id").first()
    if thread is None:
        raise LookupError("no thread to answer in")
    by = User.objects.get(pk=agent)
    return write_reply(thread, by=by, text=text, action=Action(action), key=uuid.UUID(key), confirmed=True).pk


def reply_with_picture(channel: int, agent: int, text: str, key: str, action: str) -> int:
    """The same with a picture, which in Messenger becomes an answer of its own."""
    thread = Thread.objects.get(channel_id=channel)
    by = User.objects.get(pk=agent)
    picture = attachments.keep(thread, by=by, given=SimpleUploadedFile("dot.png", base64.b64decode(DOT)))
    words: dict[str, Any] = {"text": text, "action": Action(action), "key": uuid.UUID(key), "confirmed": True}
    return write_reply(thread, by=by, pictures={picture.pk: ""}, **words).pk


def pictures_sent(channel: int) -> list[tuple[str, str | None]]:
    """State and the network's id of each answer of this channel that is a picture alone."""
    rows = Delivery.objects.filter(channel_id=channel, interaction__text="").order_by("pk")
    return list(rows.values_list("state", "interaction__external_id"))


def reply_to_many(channel: int, agent: int, texts: list[tuple[str, str]]) -> None:
    """The agent answers in one thread after the other; each text has its key."""
    by = User.objects.get(pk=agent)
    threads = Thread.objects.filter(channel_id=channel).order_by("id")[: len(texts)]
    for number, (text, key) in enumerate(texts):
        thread = threads[number % len(threads)]
        write_reply(thread, by=by, text=text, action=Action.REPLY, key=uuid.UUID(key), confirmed=True)


def send(settle: int = -1) -> int:
    """What is due is sent and read back; an unknown reply rests for `settle` seconds, if that is given."""
    if settle >= 0:
        settings.SEND_SETTLE = settle
    return deliver.send_due()


def pull_all(channels: list[int]) -> None:
    for channel in channels:
        pulling.pull_channel(channel, everything=True)


def work() -> int:
    """One round of the sweep."""
    return deliver.send_due() + webhooks.process_due()


def index() -> None:
    """New texts enter the search index."""
    search.index_texts()


def find_words(words: str) -> list[str]:
    """The tables in which these words stand anywhere, as text or bytes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT quote_ident(relname) FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace"
            " WHERE relkind = 'r' AND nspname = 'public'"
        )
        tables = [name for (name,) in cursor.fetchall()]
        found = []
        for table in tables:
            copied = io.BytesIO()
            cursor.copy_expert(f"COPY {table} TO STDOUT", copied)
            if any(form in copied.getvalue() for form in _forms(words)):
                found.append(table)
    return found


def _forms(words: str) -> set[bytes]:
    """The words as text, as JSON writes them, and as COPY writes bytes."""
    escaped = json.dumps(words)[1:-1]
    return {
        words.encode(),
        escaped.encode(),
        escaped.encode().replace(b"\\", b"\\\\"),
        words.encode().hex().encode(),
        escaped.encode().hex().encode(),
    }


def merge(channel: int) -> None:
    """The channel's first customer is its second one too. Said again after it was done, it changes nothing."""
    first, second = _customers(channel)
    try:
        merging.merge_contacts(keep=first, drop=second, by=None)
    except merging.MergeRefused as refused:
        if not second.merged_into_id:
            raise AssertionError("refused though they are two") from refused


def unmerge(channel: int) -> None:
    """They are two again after all."""
    _, second = _customers(channel)
    merge = Merge.objects.filter(dropped=second).order_by("-pk").first()
    if merge is None:
        raise LookupError("there is nothing to undo")
    try:
        merging.unmerge(merge=merge, by=None)
    except merging.MergeRefused as refused:
        if merge.undone_at is None:
            raise AssertionError("refused though it was not undone") from refused


def _customers(channel: int) -> tuple[Contact, Contact]:
    """The contacts that the channel's first two customers were when they first spoke."""
    first, second = Identity.objects.filter(threads__channel_id=channel, ours=False).distinct().order_by("pk")[:2]
    return tuple(  # type: ignore[return-value]
        Contact.objects.get(pk=one.links.order_by("pk").values_list("contact", flat=True)[0]) for one in (first, second)
    )


def contacts_of(channel: int) -> list[int]:
    """On whose timeline the channel's inbound items stand, oldest first."""
    found = Interaction.objects.filter(channel_id=channel, direction="in").order_by("posted_at", "pk")
    return [contact or 0 for contact in found.values_list("contact", flat=True)]


def renew(channel: int, credentials: dict[str, str]) -> None:
    """The admin gives new keys."""
    connecting.renew(by=_admin(), channel=Channel.objects.get(pk=channel), credentials=credentials)


def hire_admin() -> None:
    """There is an admin before the strike: making one is not part of it."""
    _admin()


def _admin() -> User:
    return User.objects.get_or_create(email="admin@example.com", defaults={"name": "Adam", "role": Role.ADMIN})[0]


def renew_access() -> int:
    """Accesses that end are renewed."""
    return renewal.renew_due()


def state_of(channel: int) -> list[str]:
    """The channel's state, and what an admin is told of it."""
    found = Channel.objects.get(pk=channel)
    return [found.state, found.last_error]


def lose(channel: int, external_id: str) -> None:
    """A row goes that nobody should have deleted."""
    Interaction.objects.get(channel_id=channel, external_id=external_id).delete()


def fill_back() -> int:
    """What an outage left out is read back."""
    return reconcile_due(timezone.now())


def hole(channel: int) -> list[Any]:
    """Whether an outage is still to be filled, and what the runs reported as missing."""
    rows = Reconcile.objects.filter(channel_id=channel).order_by("pk").values_list("missing_ids", flat=True)
    return [Channel.objects.get(pk=channel).outage_from is not None, [one for ids in rows for one in ids]]


def import_file(path: str) -> str:
    """History comes from a file; returns the command's summary."""
    said = io.StringIO()
    call_command("import_posts", path, stdout=said, stderr=io.StringIO())
    return said.getvalue()


def imported(handle: str) -> list[list[str]]:
    """What a history channel holds: id and parent of each post."""
    rows = Interaction.objects.filter(channel__handle=handle).values_list("external_id", "parent__external_id")
    return sorted([one or "", parent or ""] for one, parent in rows)


def take(channel: int, agent: int) -> None:
    """The agent takes the channel's one thread, and wants a mail of what happens on it."""
    by = User.objects.get(pk=agent)
    by.digest = Digest.INSTANT
    by.save(update_fields=["digest"])
    actions.claim(Thread.objects.get(channel_id=channel), by=by)
    _admin()


def tell_admins() -> None:
    """Of outages, in the product and by mail."""
    notices.look(timezone.now())


def tell_colleagues() -> None:
    """Of what happened on their threads, in the product and by mail."""
    notify.tell_due(timezone.now())
    digest.mail_due(timezone.now())


def issue_key(agent: int) -> str:
    """A token for the API."""
    return ApiKey.issue(user=User.objects.get(pk=agent), name="storm")[1]


def ask_for_pushes(channel: int) -> None:
    """The network is asked to push."""
    connecting.ask_for_pushes(Channel.objects.select_related("app").get(pk=channel))


def keep_pushes() -> int:
    """The networks are asked whether they still push."""
    return connecting.keep_pushes(timezone.now())


def renew_account(external_id: str, credentials: dict[str, str]) -> None:
    """New keys for the channel of this account."""
    renew(Channel.objects.get(external_id=external_id).pk, credentials)


def look_up_again() -> int:
    """Every stored post is looked up again."""
    return recheck_due(timezone.now(), batches=10_000)


def at_once(name: str, args: dict[str, Any], copies: int) -> list[int]:
    """The same act in several processes at the same moment; returns how they ended."""
    connection.close()
    together = multiprocessing.get_context("fork").Barrier(copies)
    children = []
    for _ in range(copies):
        child = os.fork()
        if child == 0:
            status = 3
            planted.TOGETHER.append(lambda: together.wait(MEETING_SECONDS))
            try:
                together.wait(MEETING_SECONDS)
                globals()[name](**args)
                status = 0
            finally:
                os._exit(status)
        children.append(child)
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


def merge_with_itself(channel: int) -> bool:
    """Whether that is refused."""
    first, _ = _customers(channel)
    try:
        merging.merge_contacts(keep=first, drop=first, by=None)
    except merging.MergeRefused:
        return True
    return False


def kept(digest: str) -> bool:
    """Whether a webhook body is in the database."""
    return WebhookEvent.objects.filter(digest=digest).exists()
