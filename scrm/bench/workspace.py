"""What agents open all day, over a big inbox (`bench_fill`), in turn with a plain reference page.

In one round every page is asked for once, then the next round begins; so a busy neighbour slows all of them alike. With
several users, all ask for the same page at the same moment.
"""

from __future__ import annotations

import http.client
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore

from accounts.models import User
from conversations.models import Interaction, SavedView, Thread
from scrm.bench.filling import AGENT, COMMON, MIDDLING, PHRASE, RARE, SLUG
from scrm.bench.pages import server
from scrm.bench.stack import CALL_SECONDS
from scrm.bench.summary import spread

ROUNDS, WARM_UP = 20, 2
USERS = (1, 8)
CONDITIONS = "is:waiting is:public mood:negative lang:en reach:1k age:2d"
REFERENCE = "reference"


@dataclass(slots=True)
class Taken:
    """Milliseconds of one page: as the browser waits, and as the server's thread computes."""

    wall: list[float] = field(default_factory=list)
    server: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    facts: dict[str, int] = field(default_factory=dict)


def workspace(rounds: int = ROUNDS, processes: int = 1) -> dict[str, Any]:
    """Figures of every page, for one user and for several at once; the present database must have been filled."""
    agent = User.objects.get(email=AGENT)
    paths = _paths(agent)
    found: dict[str, Any] = {"threads": Thread.objects.count(), "interactions": Interaction.objects.count()}
    with _session(agent) as cookie, server([sys.executable, "-m", "scrm.bench.server"], processes) as address:
        for users in USERS:
            found[f"{users} at once"] = _told(_measured(address, cookie, paths, users, rounds))
    return found | {"paths": paths}


def _paths(agent: User) -> dict[str, str]:
    newest = Thread.objects.filter(brand__slug=SLUG).order_by("-pk")
    long, of_contact = newest[0], newest[1]
    view, _made = SavedView.objects.update_or_create(owner=agent, name="Bench", defaults={"asks": {"q": CONDITIONS}})
    searches = {
        "rare word": RARE,
        "middling word": MIDDLING,
        "common word": COMMON,
        "phrase of common words": PHRASE,
        "from": "from:person77",
    }
    return {
        "bare view": "/bench/bare/",
        REFERENCE: "/bench/plain/",
        "list": "/?view=all",
        "saved view": f"/?{view.query}",
        **{f"search: {name}": f"/?view=all&q={quote(words)}" for name, words in searches.items()},
        "by post, for one audience": "/?q=audience%3Aone-to-one-to-many&group=1",
        "all for one audience, counted": "/bulk/count/?q=audience%3Aone-to-many",
        "thread of 300": f"/threads/{long.pk}/",
        "contact with 5,000": f"/contacts/{of_contact.contact_id}/",
        "timeline of 5,000": f"/contacts/{of_contact.contact_id}/timeline/",
    }


@contextmanager
def _session(agent: User) -> Iterator[str]:
    """The cookie of somebody who is signed in."""
    session = SessionStore()
    session[SESSION_KEY] = str(agent.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[-1]
    session[HASH_SESSION_KEY] = agent.get_session_auth_hash()
    session.create()
    try:
        yield f"{settings.SESSION_COOKIE_NAME}={session.session_key}"
    finally:
        session.delete()


def _measured(address: str, cookie: str, paths: Mapping[str, str], users: int, rounds: int) -> dict[str, Taken]:
    found = {name: Taken() for name in paths}
    places = [http.client.HTTPConnection(urlsplit(address).netloc, timeout=CALL_SECONDS) for _ in range(users)]
    with ThreadPoolExecutor(users) as crowd:
        for number in range(WARM_UP + rounds):
            for name, path in paths.items():
                some = list(crowd.map(lambda place, path=path: _ask(place, path, cookie), places))
                if number >= WARM_UP:
                    for one in some:
                        _keep(found[name], *one)
    return found


def _ask(place: http.client.HTTPConnection, path: str, cookie: str) -> tuple[float, http.client.HTTPResponse, int]:
    began = time.perf_counter()
    place.request("GET", path, headers={"Cookie": cookie, "Host": "localhost"})
    answer = place.getresponse()
    size = len(answer.read())
    if answer.status != http.client.OK:
        raise RuntimeError(f"{path} answers {answer.status}.")
    return (time.perf_counter() - began) * 1000, answer, size


def _keep(taken: Taken, wall: float, answer: http.client.HTTPResponse, size: int) -> None:
    taken.wall.append(wall)
    taken.server.append(float(answer.headers["X-Server-Ms"]))
    taken.cpu.append(float(answer.headers["X-Cpu-Ms"]))
    taken.facts = {"queries": int(answer.headers["X-Queries"]), "bytes": size}


def _told(found: Mapping[str, Taken]) -> dict[str, Any]:
    reference = found[REFERENCE]
    return {
        name: {
            "ms": spread(one.wall, 1),
            "server_ms": spread(one.server, 1),
            "cpu_ms": spread(one.cpu, 1),
            "times_reference": _times(one.wall, reference.wall),
            "times_reference_cpu": _times(one.cpu, reference.cpu),
        }
        | one.facts
        for name, one in found.items()
    }


def _times(figures: list[float], others: list[float]) -> float:
    """How the medians compare."""
    return round(float(spread(figures)["p50"]) / float(spread(others)["p50"]), 2)
