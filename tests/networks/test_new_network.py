"""A third network needs one module, its icon, its connect page and recordings: nothing else changes."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest
from django.conf import settings
from django.test import override_settings

from channels_ingest import networks as package
from channels_ingest.checks import networks_are_whole
from channels_ingest.networks import network, networks
from channels_ingest.networks.base import Account, NetworkError, Outgoing, Post
from channels_ingest.networks.base import Action as Act

MODULE = """
from datetime import timedelta

from channels_ingest.networks.base import (
    Author, Dropped, Event, Field, Kind, Network, Page, Post, Stream, Supports, Verdict, Visibility
)
from channels_ingest.networks.parts import values


class Pigeon(Network):
    key = "pigeon"
    name = "Pigeon Post"
    badge = "Pi"
    supports = Supports()
    streams = (Stream("loft", Visibility.PUBLIC, timedelta(hours=1)),)
    fields = (Field("ring", "Ring", "On the pigeon's leg."),)

    def identify(self):
        return Author("1", "loft")

    def pull(self, stream, cursor):
        notes = [{"id": "n1", "text": "coo", "at": "2026-01-01T00:00:00Z"}]
        yield Page(self.parse_event({"notes": notes})[0].items, {})

    @classmethod
    def parse_event(cls, payload):
        notes = values.objects(values.mapping(payload).get("notes"))
        posts = tuple(
            Post(one["id"], Kind.POST, Visibility.PUBLIC, Author("p"), values.text(one.get("text")),
                 values.needed_moment(one.get("at")), one["id"], raw=values.storable(one))
            for one in notes
        )
        return (Event("1", posts),)

    def verdict(self, action, situation):
        return Verdict(False, "Pigeons carry one way.")
"""


@pytest.fixture
def pigeon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """One module in a folder of its own; the folder is given back for the icon and the template."""
    (tmp_path / "pigeon.py").write_text(dedent(MODULE))
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    networks.cache_clear()
    importlib.invalidate_caches()
    yield tmp_path
    sys.modules.pop("channels_ingest.networks.pigeon", None)
    monkeypatch.undo()
    networks.cache_clear()


def test_its_module_is_all_that_makes_it_known(pigeon: Path) -> None:
    assert network("pigeon").name == "Pigeon Post"


def test_the_others_stay_known(pigeon: Path) -> None:
    assert {"twitter", "facebook"} < set(networks())


def test_check_names_what_it_still_lacks(pigeon: Path) -> None:
    lacking = [message.id for message in networks_are_whole(None) if message.obj is network("pigeon")]
    assert lacking == ["channels_ingest.E001", "channels_ingest.E002"]


def test_check_is_content_once_icon_and_connect_page_are_there(pigeon: Path) -> None:
    (pigeon / "static/networks").mkdir(parents=True)
    (pigeon / "static/networks/pigeon.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (pigeon / "templates/networks/pigeon").mkdir(parents=True)
    (pigeon / "templates/networks/pigeon/connect.html").write_text("<p>Look at its leg.</p>")
    templates = [{**settings.TEMPLATES[0], "DIRS": [*settings.TEMPLATES[0]["DIRS"], pigeon / "templates"]}]
    with override_settings(STATICFILES_DIRS=[*settings.STATICFILES_DIRS, pigeon / "static"], TEMPLATES=templates):
        assert [message for message in networks_are_whole(None) if message.obj is network("pigeon")] == []


def test_what_it_does_not_offer_is_refused_with_the_one_error(pigeon: Path) -> None:
    speaker = network("pigeon")(Account("1", "loft", {}))
    with pytest.raises(NetworkError):
        speaker.send(Outgoing(Act.REPLY, "coo", "k"))
    with pytest.raises(NetworkError):
        speaker.remove("n1")


def test_its_items_come_in_like_all_others(pigeon: Path) -> None:
    (page,) = network("pigeon")(Account("1", "loft", {})).pull("loft", {})
    (post,) = page.items
    assert isinstance(post, Post)
    assert post.text == "coo"
