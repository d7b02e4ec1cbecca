"""Names things of the demo that pages are about, as JSON: `python -m tests.stack.things`."""

from __future__ import annotations

import json
import os

import django


def things() -> dict[str, int | str]:
    """Ids of records that have much to show."""
    from django.contrib.auth.tokens import default_token_generator
    from django.db.models import Count
    from django.utils.encoding import force_bytes
    from django.utils.http import urlsafe_base64_encode

    from accounts.models import Brand, Team, User
    from channels_ingest.models import Channel
    from contacts.models import Contact
    from conversations.digest import token_of
    from conversations.models import Article, Interaction, Macro, Thread

    def busiest(network: str) -> int:
        counted = Thread.objects.filter(channel__network=network, brand__slug="trailhead")
        return int(counted.annotate(size=Count("interactions")).order_by("-size", "pk")[0].pk)

    contacts = Contact.objects.filter(merged_into=None).annotate(size=Count("threads")).order_by("-size", "pk")
    thread = busiest("twitter")
    trailhead = Brand.objects.get(slug="trailhead")
    item = Interaction.objects.filter(thread_id=thread, direction="in").order_by("pk")[0]
    macro, _ = Macro.objects.get_or_create(name="Stakes are on their way", text="Hello {first name|there}!")
    article, _ = Article.objects.get_or_create(brand=trailhead, source=item, title="Stakes", text="18 cm stakes fit.")
    ben = User.objects.get(email="ben@trailhead.example")
    return {
        "thread": thread,
        "item": item.pk,
        "macro": macro.pk,
        "article": article.pk,
        "facebook_thread": busiest("facebook"),
        "contact": contacts[0].pk,
        "other": contacts[1].pk,
        "channel": Channel.objects.filter(network="twitter", brand__slug="trailhead")[0].pk,
        "person": ben.pk,
        "uid": urlsafe_base64_encode(force_bytes(ben.pk)),
        "token": default_token_generator.make_token(ben),
        "reader": token_of(ben),
        "brand": trailhead.pk,
        "team": Team.objects.get_or_create(brand=trailhead, name="Public replies")[0].pk,
    }


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "scrm.settings")
    django.setup()
    print(json.dumps(things()))
