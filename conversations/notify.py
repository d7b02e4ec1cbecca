"""Tells colleagues what they should know, in the product and in their open browsers; `digest` and `push` carry it on.

Rows are written in the transaction of the deed. What no deed of ours makes happen (a promise falls due, a network
refuses an answer) is found by query.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from functools import reduce
from operator import or_

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.audit import audit
from accounts.models import User
from accounts.names import in_a_sentence
from accounts.roles import Permission, Role, allows
from conversations import live
from conversations.models import Delivery, Interaction, Notification, Promise, Thread, ThreadEvent

Kind = Notification.Kind
QUIET = (Kind.GIVEN,)  # neither mailed nor pushed: they may be many, and whoever is free takes the thread
LOOK_BACK = timedelta(days=1)  # how late something is still worth telling
BATCH = 500


def tell(
    users: Collection[int],
    kind: str,
    thread: Thread,
    *,
    interaction: Interaction | None = None,
    event: ThreadEvent | None = None,
    by: User | None = None,
) -> int:
    """Notifies those of the users who see the thread's brand and want to hear of this kind; never oneself.

    In the caller's transaction; harmless when repeated for the same interaction or event. Of one note somebody is told
    once, by their own name before their team's. Returns how many wanted to hear of it.
    """
    wanted = set(users) - {by.pk if by else None}
    if not wanted:
        return 0
    told = [user for user in User.objects.serving([thread.brand_id]).filter(pk__in=wanted) if kind not in user.muted]
    Notification.objects.bulk_create(
        [
            Notification(user=user, kind=kind, thread=thread, interaction=interaction, event=event, by=by)
            for user in told
        ],
        ignore_conflicts=True,
    )
    live.tell_users([user.pk for user in told])
    return len(told)


def approvers(thread: Thread) -> list[int]:
    """Those who may approve answers on the thread."""
    deciding = [role for role in Role.values if allows(role, Permission.APPROVE)]
    return list(User.objects.serving([thread.brand_id]).filter(role__in=deciding).values_list("pk", flat=True))


def kinds_for(user: User) -> list[Notification.Kind]:
    """What can happen for this user: answers to approve for those who may, decisions for those who need approval."""
    never = {Kind.ASKED: not user.may(Permission.APPROVE), Kind.DECIDED: not user.needs_approval}
    return [kind for kind in Kind if not never.get(kind)]


def customers_wrote(arrived: Iterable[tuple[int, int]]) -> None:
    """Tells the assignees of threads; `arrived` holds (thread id, interaction id) of new inbound items."""
    latest = dict(arrived)
    if not latest:
        return
    assigned = Thread.objects.filter(_serving("assignee", "brand"), pk__in=latest)
    rows = [
        (pk, user_id)
        for pk, user_id, muted in assigned.values_list("pk", "assignee", "assignee__muted")
        if Kind.ANSWERED not in muted
    ]
    Notification.objects.bulk_create(
        [
            Notification(user_id=user_id, kind=Kind.ANSWERED, thread_id=pk, interaction_id=latest[pk])
            for pk, user_id in rows
        ],
        ignore_conflicts=True,
    )
    live.tell_users({user_id for _pk, user_id in rows})


# -- what somebody wants to hear of -----------------------------------------------------------------------------------


@transaction.atomic
def choose(user: User, *, kinds: Collection[str], digest: str, languages: Collection[str]) -> None:
    """The user hears of these kinds and of no other, by mail as often as `digest` says, and reads these languages. What
    cannot come stays as it was chosen."""
    offered = set(kinds_for(user))
    user.muted = sorted(set(user.muted) - offered | offered - set(kinds))
    user.digest, user.languages = digest, list(languages)
    user.save(update_fields=("muted", "digest", "languages"))
    audit(by=user, verb="changed notices", on=user)


# -- found by query ---------------------------------------------------------------------------------------------------


def tell_due(now: datetime) -> int:
    """Tells of promises that fell due and of answers that could not be sent; returns how many were told."""
    return sum(_tell_of_promise(promise) for promise in _promises(now)) + sum(
        _tell_of_failure(delivery) for delivery in _failures(now)
    )


def _promises(now: datetime) -> Iterable[Promise]:
    told = Notification.objects.filter(kind=Kind.PROMISE, interaction=OuterRef("interaction"))
    due = Promise.objects.filter(state=Promise.State.OPEN, due_at__lte=now, due_at__gt=now - LOOK_BACK)
    return due.filter(~Exists(told)).select_related("thread", "interaction").order_by("-due_at")[:BATCH]


def _tell_of_promise(promise: Promise) -> int:
    return tell([promise.owner_id], Kind.PROMISE, promise.thread, interaction=promise.interaction)


def _failures(now: datetime) -> Iterable[Delivery]:
    told = Notification.objects.filter(kind=Kind.FAILED, interaction=OuterRef("interaction"))
    failed = Delivery.objects.filter(state=Delivery.State.FAILED, settled_at__gt=now - LOOK_BACK)
    return failed.filter(~Exists(told)).select_related("thread", "interaction").order_by("-settled_at")[:BATCH]


def _tell_of_failure(delivery: Delivery) -> int:
    writer = delivery.interaction.sent_by_id
    return tell([writer], Kind.FAILED, delivery.thread, interaction=delivery.interaction) if writer else 0


def still_wanted() -> Q:
    """Notifications that may leave the product: their user may sign in, works for the thread's brand, a name of which
    goes to nobody else's mail, and did not switch the kind off since. None of a quiet kind.
    """
    muted = [Q(kind=kind, user__muted__contains=[kind]) for kind in Kind.values]
    return Q(_serving("user", "thread__brand"), ~Q(kind__in=QUIET), ~reduce(or_, muted))


def _serving(user: str, brand: str) -> Q:
    """Where the user that one field names may sign in and works for the brand that the other names."""
    members = User.brands.through.objects.filter(user=OuterRef(user), brand=OuterRef(brand))
    return Q(Q(**{f"{user}__role": Role.ADMIN}) | Q(Exists(members)), **{f"{user}__is_active": True})


# -- in words ----------------------------------------------------------------------------------------------------------


def words(notice: Notification) -> str:
    """What happened, in one line without anything that was said."""
    who = in_a_sentence(str(notice.by)) if notice.by else _("Somebody")
    values = {"who": who, "customer": in_a_sentence(str(notice.thread.contact))}
    match notice.kind:
        case Kind.MENTION:
            line = _("%(who)s mentions you in a note about %(customer)s.")
        case Kind.TEAM:
            line = _("%(who)s mentions a team of yours in a note about %(customer)s.")
        case Kind.ASSIGNED:
            line = _("%(who)s assigned the thread of %(customer)s to you.")
        case Kind.GIVEN:
            line = _("%(who)s assigned the thread of %(customer)s to a team of yours.")
        case Kind.ANSWERED:
            line = _("%(customer)s wrote on your thread.")
        case Kind.PROMISE:
            line = _("Your promise to %(customer)s is overdue.")
        case Kind.ASKED:
            line = _("An answer of %(who)s to %(customer)s waits for approval.")
        case Kind.DECIDED:
            line = _("%(who)s decided on your answer to %(customer)s.")
        case _other:
            line = _("Your answer to %(customer)s could not be sent.")
    return line % values


def address(notice: Notification) -> str:
    """Where it happened."""
    return reverse("thread", args=[notice.thread_id]) + (f"#i{notice.interaction_id}" if notice.interaction_id else "")
