"""Other people's answers that solved a matter: credit for them, and knowledge made of them with their consent."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.audit import audit
from accounts.models import User
from conversations.actions import NotPossible, note_event
from conversations.models import Article, HelperCredit, Interaction, Thread, ThreadEvent

TITLE_LENGTH = 80
State = Article.State


class Changed(NotPossible):
    """Somebody else saved other words of the article since they were read."""

    def __init__(self) -> None:
        super().__init__(_("Somebody saved other words of this article meanwhile."))


def may_help(item: Interaction, thread: Thread) -> bool:
    """Whether this is another person's public answer, seen from the thread."""
    other = item.author is not None and not item.author.ours and item.contact_id != thread.contact_id
    return other and item.is_inbound and not item.is_private and item.removed_at is None


def credit(item: Interaction, *, thread: Thread, by: User) -> HelperCredit:
    """Marks an answer as solving the thread's matter. Harmless when repeated. Raises NotPossible."""
    if not may_help(item, thread):
        raise NotPossible(_("Only a public answer of another person can be marked as solving."))
    with transaction.atomic():
        found, new = HelperCredit.objects.get_or_create(interaction=item, thread=thread, defaults={"by": by})
        if new:
            note_event(thread, ThreadEvent.Verb.HELPED, by, item=item.pk)
            audit(by=by, verb="credit", on=item, brand=thread.brand_id)
    return found


def draft(item: Interaction, *, by: User) -> Article:
    """An article that quotes the answer and says where it stands; the one that is there already where there is one."""
    if item.removed_at is not None or item.is_private:
        raise NotPossible(_("Only what stands in public can become an article."))
    quote = "\n".join(f"> {line}" for line in item.text.splitlines())
    source = f"\n\n{item.author}, {item.posted_at.date().isoformat()}\n{item.permalink}".rstrip()
    title = " ".join(item.text.split())[:TITLE_LENGTH] or _("Without words")
    begun = {"brand_id": item.channel.brand_id, "title": title, "text": quote + source, "made_by": by}
    with transaction.atomic():
        article, new = Article.objects.get_or_create(source=item, defaults=begun)
        if new:
            audit(by=by, verb="draft article", on=article, brand=article.brand_id)
    return article


def asking(article: Article) -> str:
    """The words in which the helper is asked."""
    name = article.source.author.name if article.source and article.source.author else ""
    words = _("Thank you for helping, %(name)s! May we put your answer, with your name, into our help pages?")
    return words % {"name": name}


def said_since(article: Article) -> QuerySet[Interaction]:
    """What the helper wrote to the brand after the answer, newest first: one of it may show consent."""
    if article.source is None:
        return Interaction.objects.none()
    wrote = Interaction.objects.filter(author=article.source.author_id, channel__brand=article.brand_id, direction="in")
    return wrote.filter(posted_at__gt=article.source.posted_at, removed_at=None).order_by("-posted_at")


def edit(article: Article, *, title: str, text: str, by: User, read: str | None = None) -> None:
    """Changes the words; what was agreed to stays agreed to. `read` is the version its writer began with: raises
    Changed where somebody saved other words since, with `article` as it is then."""
    words = {"title": title, "text": text.replace("\r\n", "\n")}
    article.refresh_from_db(fields=("title", "text"))
    before = {"title": article.title, "text": article.text}
    if before == words:
        return
    if read is not None and read != article.version:
        raise Changed
    with transaction.atomic():
        unchanged = Article.objects.filter(pk=article.pk, **({} if read is None else before))
        if not unchanged.update(**words, changed_at=timezone.now()):
            article.refresh_from_db(fields=("title", "text"))
            raise Changed
        audit(by=by, verb="edit article", on=article, brand=article.brand_id)
    article.refresh_from_db(fields=("title", "text", "changed_at"))


def ask(article: Article, *, by: User) -> None:
    """Notes that the helper was asked. Raises NotPossible."""
    _step(article, (State.DRAFT, State.WITHDRAWN), State.ASKED, by)


def consent(article: Article, *, shown_by: Interaction, by: User) -> None:
    """Records the helper's consent and the item that shows it. Raises NotPossible."""
    if article.source is None or shown_by.author_id != article.source.author_id or not shown_by.is_inbound:
        raise NotPossible(_("Consent is shown by something that the helper wrote."))
    changes = {"consent": shown_by, "consent_at": timezone.now(), "consent_by": by}
    _step(article, (State.DRAFT, State.ASKED, State.WITHDRAWN), State.CONSENTED, by, **changes)


def publish(article: Article, *, by: User) -> None:
    """Raises NotPossible without consent (the database would refuse it, too), or where its source is gone."""
    if article.source is None or article.source.removed_at is not None:
        raise NotPossible(_("The answer that this quotes was deleted."))
    _step(article, (State.CONSENTED,), State.PUBLISHED, by)


def withdraw(article: Article, *, by: User) -> None:
    """The helper takes the consent back: the article is public no longer. Raises NotPossible."""
    nothing = {"consent": None, "consent_at": None, "consent_by": None}
    _step(article, (State.ASKED, State.CONSENTED, State.PUBLISHED), State.WITHDRAWN, by, **nothing)


def _step(article: Article, before: tuple[str, ...], after: str, by: User, **changes: object) -> None:
    with transaction.atomic():
        changed = Article.objects.filter(pk=article.pk, state__in=before).update(
            state=after, changed_at=timezone.now(), **changes
        )
        if not changed and not changes and Article.objects.filter(pk=article.pk, state=after).exists():
            return  # sent twice
        if not changed:
            words = _("An article that is “%(state)s” cannot take this step.")
            raise NotPossible(words % {"state": article.get_state_display()})
        audit(by=by, verb=f"article {after}", on=article, brand=article.brand_id)
    article.refresh_from_db()
