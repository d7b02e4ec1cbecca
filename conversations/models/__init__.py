"""What was said, what matter it belongs to, and what became of our answers."""

from conversations.models.answers import Approval, Attachment, Delivery, Draft, Macro, NoteKey
from conversations.models.interactions import (
    Alias,
    Interaction,
    InteractionQuerySet,
    RawPayload,
    Reading,
    SearchEntry,
    Tombstone,
)
from conversations.models.knowledge import Article, HelperCredit
from conversations.models.moderation import Blocking, SpamReport
from conversations.models.notices import Mention, MentionQuerySet, Notification, PushSubscription
from conversations.models.promises import Promise, PromiseQuerySet, Waiver
from conversations.models.threads import Lane, Regrouping, Thread, ThreadEvent, ThreadQuerySet, ThreadSeen
from conversations.models.views import BulkItem, BulkJob, SavedView, SavedViewQuerySet

__all__ = (
    "Alias",
    "Approval",
    "Article",
    "Attachment",
    "Blocking",
    "BulkItem",
    "BulkJob",
    "Delivery",
    "Draft",
    "HelperCredit",
    "Interaction",
    "InteractionQuerySet",
    "Lane",
    "Macro",
    "Mention",
    "MentionQuerySet",
    "NoteKey",
    "Notification",
    "Promise",
    "PromiseQuerySet",
    "PushSubscription",
    "RawPayload",
    "Reading",
    "Regrouping",
    "SavedView",
    "SavedViewQuerySet",
    "SearchEntry",
    "SpamReport",
    "Thread",
    "ThreadEvent",
    "ThreadQuerySet",
    "ThreadSeen",
    "Tombstone",
    "Waiver",
)
