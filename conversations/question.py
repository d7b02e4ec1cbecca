"""The filters of a query as conditions on threads. Names become ids first, so that every condition meets an index."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from accounts.models import Brand, Team, User
from channels_ingest.models import Channel
from contacts.models import Tag
from conversations import people
from conversations.exposure import step_of
from conversations.models import Promise, Thread, ThreadSeen

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from conversations.query import Filter


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and the brands they see."""

    user: User
    brands: Collection[int]


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


_TOGETHER = ("is", "tag", "before", "after", "reach", "waiting", "age")


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
        "overdue": Q(pk__in=_late().values("thread")),
        "unread": Q(last_inbound_at__isnull=False) & ~Q(Exists(_read_by(asker.user))),
    }
    return meant.get(str(value), Q(state=value))


def _late() -> QuerySet[Promise]:
    return Promise.objects.filter(state=Promise.State.OPEN, due_at__lt=timezone.now())


def _read_by(user: User) -> QuerySet[ThreadSeen]:
    return ThreadSeen.objects.filter(user=user, thread=OuterRef("pk"), seen_at__gte=OuterRef("last_inbound_at"))


def _tag(value: object, asker: Asker) -> Q:
    tags = Tag.objects.filter(name__iexact=str(value)).values_list("pk", flat=True)
    return Q(pk__in=Thread.tags.through.objects.filter(tag_id__in=list(tags)).values("thread_id"))


def _before(value: object, asker: Asker) -> Q:
    return Q(last_activity_at__lt=cast(datetime, value))


def _after(value: object, asker: Asker) -> Q:
    return Q(last_activity_at__gte=cast(datetime, value))


def _in(value: object, asker: Asker) -> Q:
    name = str(value).lstrip("@")
    channels = Channel.objects.filter(Q(network=name) | Q(handle__iexact=name) | Q(name__iexact=name))
    return Q(channel_id__in=list(channels.filter(brand_id__in=asker.brands).values_list("pk", flat=True)))


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
    followers = cast(int, value)
    return Q(reach_step__gte=step_of(followers)) & Q(identity__followers__gte=followers)


def _waiting(value: object, asker: Asker) -> Q:
    return Q(state=Thread.State.OPEN, waiting_since__lte=timezone.now() - cast(timedelta, value))


def _age(value: object, asker: Asker) -> Q:
    return Q(created_at__lte=timezone.now() - cast(timedelta, value))


def _same(field: str) -> Callable[[object, Asker], Q]:
    return lambda value, asker: Q(**{field: value})


_MEANT: dict[str, Callable[[object, Asker], Q]] = {
    "from": _from, "is": _is, "tag": _tag, "before": _before, "after": _after, "in": _in, "channel": _in,
    "brand": _brand, "team": _team, "lang": _same("language"), "mood": _same("mood"), "urgency": _same("urgency"),
    "assignee": _assignee, "reach": _reach, "waiting": _waiting, "age": _age,
}  # fmt: skip
