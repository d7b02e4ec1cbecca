"""What lies ready on the desks of the demo's colleagues: macros, saved views, tags, a promise, and who helped whom."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from accounts.models import Brand, User
from conversations import helpers, macros, promises
from conversations.models import Delivery, Interaction, Macro, Promise, SavedView

if TYPE_CHECKING:
    import uuid
    from collections.abc import Callable, Mapping

    from conversations.models import Thread

# name, text, brand's slug or "" for all, language, purpose, steps
MACROS: tuple[tuple[str, str, str, str, str, dict[str, Any]], ...] = (
    ("Thank you", "Thank you, {first name|friend}! That made our day. {agent}", "", "en", "", {"close": True}),
    ("Danke", "Danke dir, {first name|und liebe Grüße}! Das freut uns sehr. {agent}", "nordlicht", "de", "",
     {"close": True}),
    ("Order number, please", "Hello {first name|there}, {agent} here. Which order is it? The number stands in the mail "
     "that confirmed it.", "trailhead", "en", "", {"tags": ["order"]}),
    ("Stakes are on their way", "A full set of stakes leaves today, {first name|and}: you will have it before the "
     "weekend.", "trailhead", "en", "", {"tags": ["stakes"], "snooze_hours": 48}),
    ("Over to private", "{first name|Hello}, let us look at this together: we have written you a direct message.", "",
     "en", "handover", {}),
    ("Solved in private", "Solved in private messages. Thank you for your patience, {first name|all}!", "", "en",
     "closing", {"close": True}),
    ("Brewing too bitter", "Too bitter mostly means too fine or too hot: one step coarser and 92 °C, and it is a "
     "different coffee.", "nordlicht", "en", "", {"tags": ["brewing"]}),
)  # fmt: skip
VIEWS = (
    ("Angry in public", "is:open is:public mood:negative", "exposure"),
    ("Order questions", "is:open order", "oldest"),
    ("Written in German", "is:open lang:de", "newest"),
)
TAGGED = {
    "boots": ["granite sole"],
    "stakes": ["stakes"],
    "stove": ["safety"],
    "letter": ["zips"],
    "billed": ["refund"],
}
VOWS = (("boots", "ben", "I will call you when it ships", timedelta(days=1)),)
HELPED = (("stakes", "stakes-1", "ana"), ("stove", "stove-2", "mira"), ("tents-3", "tents-4", "ana"))
ARTICLE = ("tents-4", "ana", "Mould stains on the inner tent")


def lay_out(
    people: Mapping[str, User], thread_of: Callable[[str], Thread], item_of: Callable[[str], Interaction]
) -> None:
    """Every step may be repeated. The keys are those of the script; people go by the first part of their address."""
    for name, text, slug, language, purpose, steps in MACROS:
        brand = Brand.objects.get(slug=slug) if slug else None
        macro = {"text": text, "language": language, "purpose": purpose, "steps": steps}
        Macro.objects.get_or_create(name=name, brand=brand, owner=None, defaults=macro)
    for name, asks, order in VIEWS:
        view = {"asks": {"q": asks}, "order": order, "shared": True}
        SavedView.objects.get_or_create(owner=people["mira"], name=name, defaults=view)
    for key, names in TAGGED.items():
        macros.tag_thread(thread_of(key), names=names, by=people["mira"])
    for key, helped, who in HELPED:
        helpers.credit(item_of(helped), thread=thread_of(key), by=people[who])
    key, who, title = ARTICLE
    article = helpers.draft(item_of(key), by=people[who])
    helpers.edit(article, title=title, text=article.text, by=people[who])


def promise(keys: Mapping[str, uuid.UUID], people: Mapping[str, User]) -> None:
    """The promises that answers hold; `keys` are those of the answers."""
    for to, who, words, within in VOWS:
        sent = Delivery.objects.select_related("interaction").filter(key=keys[to]).first()
        if sent is not None and not Promise.objects.filter(interaction=sent.interaction).exists():
            due = timezone.now() + within
            promises.make(sent.interaction, words=words, due_at=due, owner=people[who], by=people[who])
