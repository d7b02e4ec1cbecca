"""Fills a running demo with what tries a page: a crowd, very long words, Arabic, and a colleague of an empty brand.

`python -m tests.stack.crowd [SIZE]` fills and names the ids as JSON.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

import django

from tests.stack.running import NOBODY

if TYPE_CHECKING:
    from channels_ingest.networks.base import Post

LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
LONG_WORDS = (
    f"{LONG} hat mir die Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetzausführungsverordnung "
    "geschickt. https://example.com/" + "sehr-lange-adresse/" * 12
)
ARABIC = "السلام عليكم، وصلتني الخيمة بدون أوتاد وأريد استبدالها قبل يوم الجمعة. شكراً جزيلاً لكم على المساعدة 🏕️"
CROWD = 10_000
FEW = "12"  # enough for the very long words and the Arabic, and quick


def fill(size: int) -> None:
    """A crowd of that size. Safe to run again."""
    from accounts.models import Brand, User
    from channels_ingest.models import Channel
    from conversations.record import record

    channel = Channel.objects.get(network="twitter", brand__slug="trailhead")
    everything = list(posts(size))
    for start in range(0, len(everything), 1000):
        record(channel, everything[start : start + 1000])
    empty, _ = Brand.objects.get_or_create(slug="empty", defaults={"name": "Brand without anything"})
    if not User.objects.filter(email=NOBODY[0]).exists():
        User.objects.create_user(*NOBODY, name="Nora Empty", role="agent").brands.add(empty)


def posts(size: int) -> Iterator[Post]:
    from django.utils import timezone

    from channels_ingest.networks.base import Author, Kind, Post, Visibility

    def post(number: int, author: Author, text: str) -> Post:
        at = timezone.now() - timedelta(minutes=number + 1)
        own = f"crowd{number}"
        return Post(own, Kind.POST, Visibility.PUBLIC, author, text, at, own, facts={"summoned": True})

    yield post(0, Author("crowd-long", "lang" * 12, f"{LONG} {LONG}"), LONG_WORDS)
    yield post(1, Author("crowd-arabic", "noura_crowd", "نورة بنت عبد العزيز الحربي"), ARABIC)
    for number in range(2, size):
        author = Author(f"crowd{number}", f"crowd{number}", f"Customer number {number}", followers=number * 97)
        yield post(number, author, f"@trailhead question {number}: when will it be in stock again?")


def told() -> dict[str, int]:
    from conversations.models import Thread

    found: dict[str, int] = {}
    for name in ("long", "arabic"):
        thread = Thread.objects.get(identity__external_id=f"crowd-{name}")
        found |= {f"{name}_thread": thread.pk, f"{name}_contact": thread.contact_id}
    return found


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "scrm.settings")
    django.setup()
    fill(int(sys.argv[1]) if len(sys.argv) > 1 else CROWD)
    print(json.dumps(told()))
