"""Every word that the product shows is marked for translation: pages, fragments, messages, mails and scripts."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import django
import pytest
from babel.messages.pofile import read_po
from django.apps import apps
from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core import mail
from django.test import Client
from django.utils import timezone, translation
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from accounts import audit
from accounts.audit_words import VERBS
from accounts.models import Brand, Digest, Team, User
from accounts.roles import Role
from channels_ingest import notices
from channels_ingest.health import failed
from channels_ingest.models import App, WebhookEvent
from channels_ingest.networks.base import Author, Media, NetworkError, Trouble
from conversations import actions, digest, helpers
from conversations.models import Interaction, Macro, Promise, SavedView, Thread
from conversations.record import record
from conversations.search import index_texts
from tests.cast import make_channel, make_user, said, whispered
from tests.conftest import BrowserOf
from tests.pseudo import LANGUAGE, Pseudo, pseudo_language, unmarked
from tests.stack.visits import PAGES, SANDBOX, Visit

pytestmark = pytest.mark.django_db

MAYA = Author("1001", handle="майя", name="Майя Келлер", followers=18_200, verified=True)
JONAS = Author("1002", handle="йонас", name="Йонас Окафор", followers=310)
SHOP = Author("9001", handle="магазин", name="Магазин")
PAGE = Author("9002", handle="страница", name="Страница")
NOT_OURS = re.compile(
    r"\bX\b|\bf\b|Facebook|Messenger"  # networks and their badges
    r"|\bUTC\b|\b[A-Z]\w+/[A-Z][\w/ +-]+"  # time zones
    r"|\b\d[\d.]*[kmhdw]\b"  # figures: 18.2k followers, longer than 4h
    r"|\{[a-z ]+[|}]"  # variables of macros
    r"|[\w.+-]+@[\w.-]+|\bscrm_[\w-]*"  # addresses, and keys: random letters, of which some are hyphens
)
FRAGMENTS = (
    "/palette/?views=1", "/palette/?q=а&thread={thread}", "/bulk/count/?view=all", "/bulk/whom/",
    "/threads/{thread}/now/", "/rows/?view=all&ids={thread}", "/threads/{thread}/macros/?q=",
    "/views/count/?state=open&order=newest", "/search/help/", "/contacts/{contact}/credits/",
)  # fmt: skip


@pytest.fixture
def town(db: None) -> dict[str, Any]:
    """Two networks, people who say everything that can be said, and colleagues who did everything that can be done."""
    brand = Brand.objects.create(name="Тропа", slug="trailhead", undo_seconds=10)
    team = Team.objects.create(brand=brand, name="Починка")
    ben = make_user(Role.AGENT, brand, name="Бен")
    ana = make_user(Role.AGENT, brand, name="Ана")
    app = App.objects.create(network="twitter", key="1")
    x = make_channel(brand, account=SHOP, app=app)
    facebook = make_channel(brand, account=PAGE, network="facebook")
    first = said("1", MAYA, "Палатка пришла без кольев.", permalink="https://x.com/1",
                 media=(Media("image", "https://x.com/1.jpg"), Media("video", "https://x.com/1.mp4")))  # fmt: skip
    advice = said("2", JONAS, "Любые подойдут.", parent=first, minutes=1)
    record(x, [first, advice, whispered("3", MAYA, SHOP, "Заказ 4711", minutes=3)])
    record(x, [said("4", SHOP, "Спасибо", parent=first, minutes=4), said("5", MAYA, "Где?", parent=first, minutes=5)])
    record(facebook, [said("6", JONAS, "Когда?", minutes=6), said("7", JONAS, "Ещё?", minutes=7)])
    index_texts()
    thread = Thread.objects.filter(identity__external_id="1001", has_public=True).order_by("pk")[0]
    other = Thread.objects.filter(channel=facebook).order_by("pk")[0]
    item = Interaction.objects.get(external_id="1")
    answer = Interaction.objects.select_related("author", "channel", "thread").get(external_id="2")
    actions.write_note(thread, by=ben, text="@Ана, посмотри")
    actions.assign(thread, to=ana, by=ben)
    actions.snooze(other, until=timezone.now() + timedelta(days=1), by=ben)
    Promise.objects.create(thread=thread, interaction=item, owner=ana, words="Завтра", due_at=timezone.now())
    article = helpers.draft(answer, by=ben)
    helpers.credit(answer, thread=thread, by=ben)
    SavedView.objects.create(name="Злые", owner=ana, asks={"q": "lang:de"})
    failed(x, NetworkError("Ключ мёртв.", Trouble.BROKEN, code="401", advice="Подключите снова."))
    notices.look(timezone.now())
    WebhookEvent.objects.create(app=app, digest="1", body=b"{}")
    audit.audit(by=ben, verb="changed", on=brand, brand=brand)
    return {
        "thread": thread.pk, "long_thread": thread.pk, "arabic_thread": thread.pk, "facebook_thread": other.pk,
        "item": item.pk, "macro": Macro.objects.create(name="Колья", text="Здравствуйте, {first name|друг}!").pk,
        "article": article.pk, "contact": thread.contact_id, "long_contact": thread.contact_id,
        "arabic_contact": thread.contact_id, "other": other.contact_id, "channel": x.pk, "person": ben.pk,
        "uid": urlsafe_base64_encode(force_bytes(ben.pk)), "token": default_token_generator.make_token(ben),
        "reader": digest.token_of(ben),
        "brand": brand.pk, "team": team.pk,
    }  # fmt: skip


def own(visit: Visit) -> bool:
    """Whether the page speaks to people: the sandbox and the documents of the API speak to developers, in English."""
    return visit.route not in (SANDBOX, "api-docs")


def test_nothing_is_shown_that_is_not_marked(town: dict[str, Any], browser_of: BrowserOf) -> None:
    agent = browser_of(User.objects.get(name="Ана"))
    browsers = {"admin": browser_of(make_user(Role.ADMIN, name="Ада")), "agent": agent, "": Client()}
    addresses = {(visit.role if visit.role in browsers else "agent", visit.path) for visit in PAGES if own(visit)}
    found: dict[str, set[str]] = {}
    spoken = Pseudo()
    with pseudo_language(spoken) as headers:
        for role, path in sorted(addresses | {("agent", fragment) for fragment in FRAGMENTS}):
            answer = browsers[role].get(path.format(**town), headers=headers, follow=True)
            assert answer.status_code == (404 if "nowhere" in path else 200), path
            for words in unmarked(answer.content.decode(), NOT_OURS):
                found.setdefault(words, set()).add(f"{role} {path}")
    assert not found, "\n".join(f"{words!r} on {min(places)}" for words, places in sorted(found.items()))
    assert without_german(spoken.asked) == set()


def without_german(messages: set[str]) -> set[str]:
    """Those that stand in no German catalogue: not in ours, not in one of Django's, not in one of its apps'."""
    places = [
        Path(settings.BASE_DIR),
        *(Path(app.path) for app in apps.get_app_configs()),
        Path(django.__path__[0], "conf"),
    ]
    known: set[str] = set()
    for path in {Path(place) / "locale/de/LC_MESSAGES/django.po" for place in places}:
        if path.exists():
            known |= messages_of(path)
    return messages - known


def messages_of(path: Path) -> set[str]:
    with path.open("rb") as file:
        found = [(one.context, (one.id,) if isinstance(one.id, str) else one.id) for one in read_po(file)]
    return {f"{context}\x04{form}" if context else form for context, forms in found for form in forms}


def test_what_the_product_answers_is_marked(town: dict[str, Any], browser_of: BrowserOf) -> None:
    admin = browser_of(make_user(Role.ADMIN, name="Ада"))
    steps: tuple[tuple[str, dict[str, Any]], ...] = (
        ("/threads/{thread}/close/", {}),  # refused: a promise is open
        ("/threads/{thread}/snooze/", {"usual": "tomorrow"}),
        ("/threads/{thread}/assignment/", {"to": ""}),
        ("/threads/{thread}/replies/", {"lane": "reply", "text": "звоните 0170 1234567"}),
        ("/threads/{thread}/replies/", {"lane": "note", "text": ""}),
        ("/threads/{thread}/items/{item}/moderation/", {"deed": "hide", "why": ""}),
        ("/bulk/", {"verb": "snooze"}),
        ("/bulk/", {"verb": "close", "ids": "{facebook_thread}"}),
        ("/undo/", {}),
        ("/macros/new/", {"name": "", "text": "{{nobody}}"}),
        ("/views/new/", {"name": "", "waiting": "я"}),
        ("/people/new/", {"email": "x", "name": ""}),
        ("/brands/new/", {"name": ""}),
        ("/brands/{brand}/", {"name": "Тропа", "undo_seconds": "-1"}),
        ("/channels/new/twitter/", {}),
        ("/channels/new/facebook/", {}),
        ("/channels/{channel}/pause/", {}),
        ("/contacts/{contact}/details/", {"email": "x"}),
        ("/contacts/{contact}/tags/", {"tag": ""}),
        ("/contacts/{contact}/notes/", {"text": ""}),
        ("/articles/{article}/step/", {"step": "publish"}),
        ("/profile/", {"name": ""}),
        ("/profile/keys/", {"name": "ключ"}),
        ("/profile/notifications/", {"digest": "never"}),
        ("/password/change/", {"old_password": "x", "new_password1": "a", "new_password2": "b"}),
    )
    found: set[tuple[str, str]] = set()
    with pseudo_language() as headers:
        for path, given in steps:
            filled = {name: value.format(**town) if value.startswith("{f") else value for name, value in given.items()}
            answer = admin.post(path.format(**town), filled, headers=headers, follow=True)
            found |= {(path, words) for words in unmarked(answer.content.decode(), NOT_OURS)}
            told = json.loads(answer.headers.get("HX-Trigger", "{}")).get("toast", {}).get("text", "")
            found |= {(path, words) for words in unmarked(told, NOT_OURS)}
    assert found == set()


def test_mails_are_marked(town: dict[str, Any], browser_of: BrowserOf) -> None:
    admin = browser_of(make_user(Role.ADMIN, name="Ада"))
    invited = {"email": "новый@пример.test", "name": "Новый", "role": "agent", "brands": town["brand"]}
    with pseudo_language() as headers, translation.override(LANGUAGE):
        admin.post("/people/new/", {**invited, "email": "neu@example.test", "time_zone": "UTC"}, headers=headers)
        Client().post("/password/reset/", {"email": User.objects.get(name="Бен").email}, headers=headers)
        User.objects.update(digest=Digest.INSTANT)
        digest.mail_due(timezone.now() + timedelta(hours=3))
    mails = [f"{one.subject}\n{one.body}" for one in mail.outbox]
    assert len(mails) >= 2
    assert [words for one in mails for words in unmarked(one, NOT_IN_MAILS)] == []


NOT_IN_MAILS = re.compile(NOT_OURS.pattern + r"|https?://\S+")
A_KEY = re.compile(r'keys\.on\("[^"]+"')
SHOWN_BY_SCRIPTS = re.compile(
    r"""(?:textContent|innerText|title|placeholder|ariaLabel)\s*=\s*["'`]([^"'`]*[A-Za-z][^"'`]*)["'`]"""
    r"""|setAttribute\(\s*["'](?:aria-label|title|placeholder|alt)["'],\s*["'`]([^"'`]*[A-Za-z][^"'`]*)["'`]"""
    r"""|["'`]([A-Z][a-z]+(?: [a-z]+)+[.!?…:]*)["'`]"""  # what looks like a sentence
)


def test_scripts_hold_no_words_of_their_own() -> None:
    """What they show stands in the page, in data attributes, where it is translated."""
    spoken = [
        (path.name, line.strip())
        for path in sorted((Path(settings.BASE_DIR) / "static" / "js").glob("*.js"))
        for line in path.read_text().splitlines()
        if SHOWN_BY_SCRIPTS.search(A_KEY.sub("", line.split("//")[0])) and "console." not in line
    ]
    assert spoken == []


def test_what_is_not_marked_is_found() -> None:
    page = '<p title="Over ⟦there~⟧">⟦Marked, with <a href="/here/">a link</a> inside~⟧</p><b>Bare</b><kbd>Ctrl</kbd>'
    assert unmarked(page, NOT_OURS) == ["Over", "Bare"]


def test_no_letter_of_a_key_is_a_word_of_ours() -> None:
    assert unmarked("<td>scrm_tC3-id…</td>", NOT_OURS) == []


def test_every_deed_in_the_audit_log_has_a_name() -> None:
    apps = ("accounts", "contacts", "conversations", "channels_ingest", "scrm")
    source = "".join(path.read_text() for app in apps for path in (Path(settings.BASE_DIR) / app).rglob("*.py"))
    written = set(re.findall(r'audit\([^()]*verb="([^"]+)"', source))
    assert len(written) > 30
    assert written - set(VERBS) == set()
