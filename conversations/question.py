"""The filters of a query as conditions on threads. Names become ids first, so that every condition meets an index."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast

from django.db.models import Exists, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.db.models.lookups import GreaterThanOrEqual, IsNull
from django.utils import timezone
from django.utils.translation import gettext_lazy

from accounts.models import Brand, Team, User
from channels_ingest.models import Channel
from channels_ingest.networks.base import Visibility
from contacts.models import Identity, Tag
from conversations import people
from conversations.audience import Mode
from conversations.exposure import STEPS, step_of
from conversations.models import Interaction, Lane, Mention, Promise, Thread, ThreadSeen
from conversations.record import PRIVATE_LANE

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from conversations.query import Filter


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, the brands they see, and when (UTC): what "two days old" is counted from."""

    user: User
    brands: Collection[int]
    now: datetime = field(default_factory=timezone.now)


def conditions(filters: Iterable[Filter], asker: Asker) -> Q:
    """What a thread must be. Filters with the same key and no minus are alternatives; all others must hold."""
    wanted: dict[str, Q] = {}
    unwanted = Q()
    for one in filters:
        meant = _MEANT[one.key](one.value, asker)
        if one.without:
            unwanted &= ~meant
        elif one.key in _TOGETHER:
            unwanted &= meant
        else:
            wanted[one.key] = wanted.get(one.key, Q(pk__in=())) | meant
    every = unwanted
    for alternatives in wanted.values():
        every &= alternatives
    return every


_TOGETHER = ("is", "tag", "before", "after", "reach", "waiting", "age", "due")


def unknown(filters: Iterable[Filter], asker: Asker) -> list[str]:
    """What filters name that there is not, in words. Asked where nothing was found."""
    said: list[str] = []
    for one in filters:
        words = _NAMED.get(one.key)
        if words and _MEANT[one.key](one.value, asker) in _NOTHING:
            said.append(str(words) % {"name": one.value})
    return said


def _from(value: object, asker: Asker) -> Q:
    return people.threads_of(str(value))


def _is(value: object, asker: Asker) -> Q:
    waiting = Q(state=Thread.State.OPEN, waiting_since__isnull=False)
    meant = {
        "public": Q(has_public=True),
        "private": Q(has_private=True),
        "waiting": waiting,
        "unassigned": Q(assignee=None),
        "mine": Q(assignee=asker.user),
        "hanging": Q(hanging_since__isnull=False) & ~Q(state__in=(Thread.State.CLOSED, *Thread.PUT_AWAY)),
        "mentioned": Q(pk__in=Mention.objects.of(asker.user).values("interaction__thread")),
        "overdue": Q(pk__in=_late(asker).values("thread")),
        "unread": Q(last_inbound_at__isnull=False) & ~Q(Exists(_read_by(asker.user))),
    }
    return meant.get(str(value), Q(state=value))


def _due(value: object, asker: Asker) -> Q:
    """With a promise that falls due within this time, or is overdue."""
    soon = Promise.objects.filter(state=Promise.State.OPEN, due_at__lt=asker.now + cast(timedelta, value))
    return Q(pk__in=soon.values("thread"))


def _audience(value: object, asker: Asker) -> Q:
    """How the thread is held, as `conversations.audience` tells it: who else spoke under its public roots.

    Asked thread by thread (the first one who did is enough): as a join, the planner would read all that was ever said.
    """
    others = Interaction.objects.filter(
        channel_id=OuterRef("channel_id"),
        root_external_id=OuterRef("root_external_id"),
        visibility=Visibility.PUBLIC,
        removed_at=None,
        author__ours=False,
    ).exclude(author_id=OuterRef("thread__identity_id"))
    lanes = Lane.objects.filter(thread=OuterRef("pk"), visibility=Visibility.PUBLIC).exclude(
        root_external_id=PRIVATE_LANE
    )
    joined = Subquery(lanes.filter(_is_there(others)).values("pk")[:1])
    return {
        Mode.ONE_TO_ONE: Q(has_public=False),
        Mode.ONE_TO_MANY: Q(has_public=True) & Q(IsNull(joined, True)),
        Mode.ONE_TO_ONE_TO_MANY: Q(has_public=True) & Q(IsNull(joined, False)),
    }[Mode(str(value).replace("-", "_"))]


def _is_there(rows: QuerySet[Interaction]) -> IsNull:
    return IsNull(Subquery(rows.values("pk")[:1]), False)


def _late(asker: Asker) -> QuerySet[Promise]:
    return Promise.objects.filter(state=Promise.State.OPEN, due_at__lt=asker.now)


def _read_by(user: User) -> QuerySet[ThreadSeen]:
    return ThreadSeen.objects.filter(user=user, thread=OuterRef("pk"), seen_at__gte=OuterRef("last_inbound_at"))


def _tag(value: object, asker: Asker) -> Q:
    tags = list(Tag.objects.filter(name__iexact=str(value)).values_list("pk", flat=True))
    return Q(pk__in=Thread.tags.through.objects.filter(tag_id__in=tags).values("thread_id")) if tags else Q(pk__in=())


def _before(value: object, asker: Asker) -> Q:
    return Q(last_activity_at__lt=cast(datetime, value))


def _after(value: object, asker: Asker) -> Q:
    return Q(last_activity_at__gte=cast(datetime, value))


def _in(value: object, asker: Asker) -> Q:
    name = str(value).lstrip("@")
    channels = Channel.objects.filter(Q(network=name) | Q(handle__iexact=name) | Q(name__iexact=name))
    return Q(channel_id__in=list(channels.filter(brand_id__in=asker.brands).values_list("pk", flat=True)))


def _network(value: object, asker: Asker) -> Q:
    channels = Channel.objects.filter(network=value, brand_id__in=asker.brands)
    return Q(channel_id__in=list(channels.values_list("pk", flat=True)))


def _brand(value: object, asker: Asker) -> Q:
    brands = Brand.objects.filter(Q(slug__iexact=value) | Q(name__iexact=value), pk__in=asker.brands)
    return Q(brand_id__in=list(brands.values_list("pk", flat=True)))


def _team(value: object, asker: Asker) -> Q:
    teams = Team.objects.filter(name__iexact=str(value), brand_id__in=asker.brands)
    ids = list(teams.values_list("pk", flat=True))
    members = User.objects.filter(teams__in=ids).values_list("pk", flat=True)
    return Q(team_id__in=ids) | Q(assignee_id__in=list(members))


def _assignee(value: object, asker: Asker) -> Q:
    if value in ("me", "nobody"):
        return Q(assignee=asker.user if value == "me" else None)
    name = str(value).lstrip("@")
    users = User.objects.filter(Q(name__icontains=name) | Q(email__iexact=name))
    return Q(assignee_id__in=list(users.values_list("pk", flat=True)[:50]))


def _reach(value: object, asker: Asker) -> Q:
    """The step of a thread tells it. Only on the very step of the number the person is looked up, thread by thread."""
    followers = cast(int, value)
    step = step_of(followers)
    if followers in (0, *STEPS[1:]):
        return Q(reach_step__gte=step)
    known = Identity.objects.filter(pk=OuterRef("identity_id")).values("followers")[:1]
    enough = GreaterThanOrEqual(Coalesce(Subquery(known), 0), followers)
    return Q(reach_step__gte=step) & (Q(reach_step__gt=step) | Q(enough))


def _waiting(value: object, asker: Asker) -> Q:
    return Q(state=Thread.State.OPEN, waiting_since__lte=asker.now - cast(timedelta, value))


def _age(value: object, asker: Asker) -> Q:
    return Q(created_at__lte=asker.now - cast(timedelta, value))


def _same(field: str) -> Callable[[object, Asker], Q]:
    return lambda value, asker: Q(**{field: value})


_MEANT: dict[str, Callable[[object, Asker], Q]] = {
    "from": _from, "is": _is, "tag": _tag, "before": _before, "after": _after, "in": _in, "channel": _in,
    "network": _network,
    "brand": _brand, "team": _team, "lang": _same("language"), "mood": _same("mood"), "urgency": _same("urgency"),
    "assignee": _assignee, "reach": _reach, "waiting": _waiting, "age": _age,
    "due": _due, "audience": _audience,
}  # fmt: skip
# what a name that nobody bears becomes
_NOTHING = (
    Q(pk__in=()),
    Q(channel_id__in=[]),
    Q(brand_id__in=[]),
    Q(assignee_id__in=[]),
    Q(team_id__in=[]) | Q(assignee_id__in=[]),
    Q(identity_id__in=[]) | Q(contact_id__in=[]),
)
_NAMED = {
    "from": gettext_lazy("Nobody is called “%(name)s”."),
    "tag": gettext_lazy("There is no tag “%(name)s”."),
    "in": gettext_lazy("No channel or network of yours is called “%(name)s”."),
    "channel": gettext_lazy("No channel of yours is called “%(name)s”."),
    "brand": gettext_lazy("No brand of yours is called “%(name)s”."),
    "team": gettext_lazy("No team of yours is called “%(name)s”."),
    "assignee": gettext_lazy("No colleague is called “%(name)s”. Write a name, me or nobody."),
}
