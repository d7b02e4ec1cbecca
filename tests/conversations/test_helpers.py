"""Other people's answers that helped: credit, and articles that need consent."""

from __future__ import annotations

import re
from unittest.mock import Mock

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEntry, User
from channels_ingest.models import Channel
from conversations import actions, drafts, helpers
from conversations.actions import NotPossible
from conversations.models import Article, Interaction, Thread
from conversations.record import record
from tests.cast import MAYA, SOFIA, TRAILHEAD, said
from tests.conftest import BrowserOf

pytestmark = pytest.mark.django_db

QUESTION = said("1", MAYA, "How do I pitch it?")
ADVICE = said("2", SOFIA, "Use the pole.\nIt works.", parent=QUESTION, minutes=1, permalink="https://x.com/s/2")


@pytest.fixture
def thread(channel: Channel) -> Thread:
    record(channel, [QUESTION, ADVICE])
    return Thread.objects.get(identity__external_id=MAYA.external_id)


def item(external_id: str) -> Interaction:
    return Interaction.objects.select_related("author", "channel", "thread").get(external_id=external_id)


@pytest.fixture
def article(thread: Thread, agent: User) -> Article:
    return helpers.draft(item("2"), by=agent)


@pytest.fixture
def yes(channel: Channel, article: Article) -> Interaction:
    record(channel, [said("3", SOFIA, "Sure!", parent=ADVICE, minutes=9)])
    return item("3")


def test_a_helper_is_credited_once_and_marked_in_the_tree(thread: Thread, agent: User, browser_of: BrowserOf) -> None:
    helpers.credit(item("2"), thread=thread, by=agent)
    helpers.credit(item("2"), thread=thread, by=agent)
    browser = browser_of(agent)
    assert thread.credits.count() == 1
    assert "helper</span>" in browser.get(f"/threads/{thread.pk}/").content.decode()
    assert "Helped once" in browser.get(f"/contacts/{item('2').contact_id}/credits/").content.decode()


def test_neither_the_customer_nor_we_are_helpers(channel: Channel, thread: Thread, agent: User) -> None:
    record(channel, [said("4", TRAILHEAD, "Like this.", parent=QUESTION, minutes=2)])
    for external_id in ("1", "4"):
        with pytest.raises(NotPossible, match="another person"):
            helpers.credit(item(external_id), thread=thread, by=agent)


def test_a_draft_quotes_the_answer_and_says_where_it_stands(article: Article) -> None:
    assert article.text.startswith("> Use the pole.\n> It works.\n\n")
    assert article.text.endswith("https://x.com/s/2")


def test_there_is_no_article_without_its_audit_line(
    thread: Thread, agent: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(helpers, "audit", Mock(side_effect=DatabaseError))
    with pytest.raises(DatabaseError):
        helpers.draft(item("2"), by=agent)
    assert not Article.objects.exists()


def test_of_all_that_the_helper_wrote_since_the_page_reads_the_newest_few(
    yes: Interaction, article: Article, agent: User, browser_of: BrowserOf
) -> None:
    with CaptureQueriesContext(connection) as asked:
        page = browser_of(agent).get(f"/articles/{article.pk}/").content.decode()
    read = [one["sql"] for one in asked.captured_queries if '"posted_at" >' in one["sql"]]
    assert (["LIMIT 10" in sql for sql in read], yes.text in page) == ([True], True)


def test_nothing_is_published_without_consent_not_even_by_hand(article: Article, agent: User) -> None:
    with pytest.raises(NotPossible, match="draft"):
        helpers.publish(article, by=agent)
    with pytest.raises(IntegrityError), transaction.atomic():
        Article.objects.update(state="published")


def test_consent_is_shown_by_the_helpers_own_words(article: Article, yes: Interaction, agent: User) -> None:
    with pytest.raises(NotPossible, match="helper wrote"):
        helpers.consent(article, shown_by=item("1"), by=agent)
    helpers.consent(article, shown_by=yes, by=agent)
    helpers.publish(article, by=agent)
    assert (article.state, article.consent, article.consent_by) == ("published", yes, agent)


def test_withdrawn_consent_unpublishes(article: Article, yes: Interaction, agent: User) -> None:
    helpers.consent(article, shown_by=yes, by=agent)
    helpers.publish(article, by=agent)
    helpers.withdraw(article, by=agent)
    assert (article.state, article.consent) == ("withdrawn", None)


def test_an_agent_credits_and_publishes_by_plain_forms(
    thread: Thread, channel: Channel, agent: User, browser_of: BrowserOf
) -> None:
    browser = browser_of(agent)
    went = browser.post(f"/threads/{thread.pk}/items/{item('2').pk}/credit/", {"article": "1"}).headers["Location"]
    record(channel, [said("3", SOFIA, "Sure!", parent=ADVICE, minutes=9)])
    assert "Sure!" in browser.get(went).content.decode()
    browser.post(f"{went}step/", {"step": "consent", "item": item("3").pk})
    browser.post(f"{went}step/", {"step": "publish"})
    assert Article.objects.get().state == "published"
    assert b"published" in browser.get("/articles/").content


def test_words_that_a_colleague_saved_meanwhile_are_not_lost_and_neither_are_ones_own(
    article: Article, agent: User, colleague: User, browser_of: BrowserOf
) -> None:
    path, read = f"/articles/{article.pk}/", article.version
    browser_of(colleague).post(path, {"title": "Poles", "text": "Use two poles.", "read": read})
    answer = browser_of(agent).post(path, {"title": "Poles", "text": "Use one <pole>.", "read": read})
    page = answer.content.decode()
    assert (answer.status_code, Article.objects.get().text) == (409, "Use two poles.")
    assert "<del>two</del><ins>one</ins> <del>poles.</del><ins>&lt;pole&gt;.</ins>" in page
    assert "Use one &lt;pole&gt;.</textarea>" in page


def test_whoever_saw_what_was_saved_meanwhile_may_save_over_it(
    article: Article, agent: User, browser_of: BrowserOf
) -> None:
    browser, path = browser_of(agent), f"/articles/{article.pk}/"
    mine = {"title": "Mine", "text": "Use one pole.", "read": "of an older one"}
    (read,) = re.findall(r'name="read" value="(\w+)"', browser.post(path, mine).content.decode())
    assert browser.post(path, {**mine, "read": read}).status_code == 302
    assert Article.objects.get().title == "Mine"


def test_an_article_saved_twice_by_two_clicks_is_no_conflict(
    article: Article, agent: User, browser_of: BrowserOf
) -> None:
    browser, path = browser_of(agent), f"/articles/{article.pk}/"
    typed = {"title": "Poles", "text": "Use\r\none.", "read": article.version}
    assert [browser.post(path, typed).status_code for _time in range(2)] == [302, 302]
    assert AuditEntry.objects.filter(verb="edit article").count() == 1


def test_of_two_writes_in_one_moment_the_second_meets_the_first(article: Article, agent: User) -> None:
    stale = Article.objects.get(pk=article.pk)
    stale.refresh_from_db = lambda **_fields: None  # type: ignore[method-assign]
    helpers.edit(article, title="First", text="x", by=agent, read=article.version)
    with pytest.raises(helpers.Changed):
        helpers.edit(stale, title="Second", text="y", by=agent, read=stale.version)


def test_a_step_sent_twice_is_no_error(article: Article, agent: User, browser_of: BrowserOf) -> None:
    browser, path = browser_of(agent), f"/articles/{article.pk}/step/"
    browser.post(path, {"step": "ask"})
    assert "cannot take this step" not in browser.post(path, {"step": "ask"}, follow=True).content.decode()
    assert "cannot take this step" in browser.post(path, {"step": "publish"}, follow=True).content.decode()


def test_a_stranger_sees_no_article(article: Article, stranger: User, browser_of: BrowserOf) -> None:
    assert browser_of(stranger).get(f"/articles/{article.pk}/").status_code == 404


# -- taking a thread, and languages -----------------------------------------------------------------------------------


def test_of_two_who_take_a_thread_the_second_is_told_who_was_faster(
    thread: Thread, agent: User, colleague: User, browser_of: BrowserOf
) -> None:
    browser_of(agent).post(f"/threads/{thread.pk}/claim/")
    answer = browser_of(colleague).post(f"/threads/{thread.pk}/claim/", headers={"HX-Request": "true"})
    thread.refresh_from_db()
    assert thread.assignee == agent
    assert "Ana was faster." in answer.headers["HX-Trigger"]


@pytest.mark.parametrize(("state", "why"), [("spam", "is spam"), ("joined", "was joined")])
def test_what_is_put_away_is_neither_taken_nor_given(
    thread: Thread, agent: User, browser_of: BrowserOf, state: str, why: str
) -> None:
    Thread.objects.filter(pk=thread.pk).update(state=state)
    pages = [f"/threads/{thread.pk}/{deed}/" for deed in ("claim", "assignment")]
    answers = [browser_of(agent).post(page, {"to": agent.pk}, headers={"HX-Request": "true"}) for page in pages]
    thread.refresh_from_db()
    assert ([why in one.headers["HX-Trigger"] for one in answers], thread.assignee) == ([True, True], None)


def test_spam_does_not_offer_to_take(thread: Thread, agent: User, browser_of: BrowserOf) -> None:
    Thread.objects.filter(pk=thread.pk).update(state="spam")
    assert f"/threads/{thread.pk}/claim/" not in browser_of(agent).get(f"/threads/{thread.pk}/").content.decode()


def test_what_is_written_in_another_language_is_marked(
    channel: Channel, thread: Thread, agent: User, browser_of: BrowserOf
) -> None:
    Interaction.objects.filter(external_id="1").update(language="de")
    browser = browser_of(agent)
    assert "German" not in browser.get(f"/threads/{thread.pk}/").content.decode()
    agent.languages = ["en"]
    agent.save()
    assert "in German" in browser.get(f"/threads/{thread.pk}/").content.decode()


def test_closing_does_not_offer_to_take(thread: Thread, agent: User, browser_of: BrowserOf) -> None:
    actions.close(thread, by=agent)
    assert f"/threads/{thread.pk}/claim/" not in browser_of(agent).get(f"/threads/{thread.pk}/").content.decode()


def test_the_question_for_consent_is_put_into_an_answer_once(
    channel: Channel, article: Article, agent: User, browser_of: BrowserOf
) -> None:
    record(channel, [said("4", SOFIA, "@trailhead glad to help", parent=ADVICE, minutes=3, addressee=TRAILHEAD)])
    helper = Thread.objects.get(identity__external_id=SOFIA.external_id)
    Interaction.objects.filter(external_id="2").update(thread=helper)
    browser = browser_of(agent)
    for _time in range(2):
        went = browser.post(f"/articles/{article.pk}/step/", {"step": "propose"}).headers["Location"]
    assert went == f"/threads/{helper.pk}/?lane=reply"
    assert drafts.of(helper, agent)["reply"].count("into our help pages?") == 1
