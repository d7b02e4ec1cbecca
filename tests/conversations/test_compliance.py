"""What was deleted on a network is nowhere here afterwards: a whole dump of the database is searched for its words."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core import mail
from django.utils import timezone

from accounts.models import Digest, User
from channels_ingest.ingest import hand_over
from channels_ingest.models import App, Channel, SetAside, WebhookEvent
from channels_ingest.networks.base import Action, AuthorRemoval, Dropped, Media, Removal
from contacts.models import Identity
from conversations import digest, helpers, readings, search
from conversations.models import Approval, Article, Delivery, Draft, Interaction, Macro, Notification, Thread
from conversations.reply import reply
from scrm.keeping import programs
from tests.cast import JONAS, MAYA, said

pytestmark = pytest.mark.django_db(transaction=True)

MARK = "the zeppelin over Quedlinburg leaks"  # in every text that is to go
TEXT = f"@trailhead {MARK}\nand nobody has come to mend it"


def dump() -> str:
    done = subprocess.run(
        [programs.program("pg_dump"), "--inserts"],
        env=programs.surroundings(),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def body_of(text: str) -> bytes:
    return f'{{"data": {{"id": "1", "text": "{text}"}}}}'.encode()


@pytest.fixture
def scene(channel: Channel, agent: User, admin: User) -> Thread:
    """A post whose words were copied to every place that words can go."""
    channel.app = App.objects.create(network="twitter", key="app-1")
    channel.save()
    picture = Media("image", "https://pics.example/zeppelin.png", alt=MARK)
    post = said("1", MAYA, TEXT, raw={"id": "1", "text": TEXT}, media=(picture,))
    hand_over(channel, [post], stream="mentions", dropped=[Dropped("A repost.", {"id": "9", "of": "1", "text": MARK})])
    WebhookEvent.objects.create(
        app=channel.app, digest="d", body=body_of(MARK), state="stored", external_ids=["1"], processed_at=timezone.now()
    )
    answer = said("2", JONAS, f"Put tape on it: {MARK}", parent=post, raw={"text": MARK})
    hand_over(channel, [answer, said("3", JONAS, "Yes, take it.", parent=post, minutes=2)])
    item = Interaction.objects.get(external_id="1")
    assert item.thread is not None
    search.index_texts()
    readings.understand_due()
    Draft.objects.create(thread=item.thread, user=agent, lane="reply", text=f"“{TEXT}”\nOh dear!")
    Draft.objects.create(thread=item.thread, user=admin, lane="note", text=f"He says: {MARK}, again")
    Macro.objects.create(name="Zeppelins", text=f"You wrote: “{TEXT}”. We know.")
    reply(item.thread, by=agent, text=f"“{TEXT}” We are on it.", action=Action.REPLY, key=uuid4())
    delivery = Delivery.objects.get()
    Approval.objects.create(delivery=delivery, text=f"“{TEXT}” We are on it.")
    helped = Interaction.objects.get(external_id="2")
    article = helpers.draft(helped, by=agent)
    helpers.consent(article, shown_by=Interaction.objects.get(external_id="3"), by=agent)
    helpers.publish(article, by=agent)
    Notification.objects.create(user=agent, kind="answered", thread=item.thread, interaction=item)
    User.objects.update(digest=Digest.DAILY)
    digest.mail_due(timezone.now() + timedelta(hours=25))
    return item.thread


def test_a_deleted_post_is_nowhere_in_a_dump_of_the_database(scene: Thread, channel: Channel) -> None:
    assert dump().count(MARK) > 8
    hand_over(channel, [Removal("1"), Removal("2")])
    search.index_texts()
    readings.understand_due()
    everything = dump()
    assert MARK not in everything
    assert MARK.encode().hex() not in everything  # how a dump writes a stored body
    assert "my order 4711 with it" not in everything
    assert not any("zeppelin" in line for line in everything.lower().splitlines() if "'leak'" in line)


def test_a_published_article_is_emptied_and_taken_back_with_its_source(scene: Thread, channel: Channel) -> None:
    hand_over(channel, [Removal("2")])
    article = Article.objects.get()
    assert (article.state, article.consent) == (Article.State.WITHDRAWN, None)
    assert MARK not in f"{article.title} {article.text}"


def test_what_colleagues_wrote_around_a_quotation_stays(scene: Thread, channel: Channel, agent: User) -> None:
    hand_over(channel, [Removal("1"), Removal("2")])
    assert Draft.objects.get(user=agent).text == "“[…]”\nOh dear!"
    assert Interaction.objects.get(delivery__isnull=False).text == "“[…]” We are on it."
    assert Macro.objects.get(name="Zeppelins").text == "You wrote: “[…]”. We know."


def test_an_author_who_leaves_takes_all_words_and_the_picture_along(scene: Thread, channel: Channel) -> None:
    hand_over(channel, [AuthorRemoval(MAYA.external_id), AuthorRemoval(JONAS.external_id)])
    assert MARK not in dump()
    assert Identity.objects.get(external_id=MAYA.external_id).avatar_url == ""


def test_no_mail_ever_held_the_words(scene: Thread) -> None:
    assert mail.outbox
    assert not any(MARK in f"{sent.subject} {sent.body}" for sent in mail.outbox)


def test_short_words_are_not_taken_out_of_what_others_wrote(channel: Channel, agent: User) -> None:
    hand_over(channel, [said("1", MAYA, "thanks!")])
    thread = Thread.objects.get()
    Draft.objects.create(thread=thread, user=agent, lane="reply", text="Many thanks!")
    hand_over(channel, [Removal("1")])
    assert Draft.objects.get().text == "Many thanks!"
    assert SetAside.objects.count() == 0
