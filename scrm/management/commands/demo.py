"""`manage.py demo`: two brands, their customers and some days of work, to look at and to play with."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.audit import audit
from accounts.models import AuditEntry, Brand, Team, User
from channels_ingest.networks.base import NetworkError
from channels_ingest.sandbox_api import SandboxError
from scrm.demo.cast import BRANDS, COLLEAGUES, TEAMS, Colleague, DemoTeam
from scrm.demo.office import Office
from scrm.demo.stage import PaperStage, SandboxStage, Stage

LOADED = "load demo"  # the verb of the audit entry that tells it is done
UNDO_SECONDS = 10


class Command(BaseCommand):
    help = "Load the demo: two brands on the sandbox networks with customers, colleagues and conversations. Once."

    def handle(self, **_: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("The demo's passwords are known to everybody: it is not for production.")
        if AuditEntry.objects.filter(verb=LOADED).exists():
            self.stdout.write("The demo is loaded already.")
            return
        brands = {demo.slug: _brand(demo.slug, demo.name) for demo in BRANDS}
        stage: Stage = SandboxStage(brands, settings.SANDBOX_URL) if settings.SANDBOX_URL else PaperStage(brands)
        try:
            stage.play()
            people = [_user(one, brands) for one in COLLEAGUES]
            for team in TEAMS:
                _team(team, brands, people)
            office = Office(stage, people)
            office.work()
        except (SandboxError, NetworkError) as error:
            raise CommandError(f"The demo could not be played: {error}") from error
        for reason in office.left_out:
            self.stderr.write(f"An answer was left out, {reason}")
        Brand.objects.filter(pk__in=[brand.pk for brand in brands.values()]).update(undo_seconds=UNDO_SECONDS)
        for brand in brands.values():
            audit(by=None, verb=LOADED, on=brand, brand=brand)
        self._tell()

    def _tell(self) -> None:
        for one in COLLEAGUES:
            self.stdout.write(f"{one.role:8} {one.email:24} {one.password}")


def _brand(slug: str, name: str) -> Brand:
    """The demo's answers leave at once; the time to take an answer back is given at the end."""
    brand, _new = Brand.objects.get_or_create(slug=slug, defaults={"name": name})
    Brand.objects.filter(pk=brand.pk).update(undo_seconds=0)
    return brand


def _user(colleague: Colleague, brands: dict[str, Brand]) -> User:
    user = User.objects.filter(email__iexact=colleague.email).first() or User.objects.create_user(
        colleague.email,
        colleague.password,
        name=colleague.name,
        role=colleague.role,
        time_zone=colleague.time_zone,
    )
    user.brands.set([brands[slug] for slug in colleague.brands])
    return user


def _team(demo: DemoTeam, brands: dict[str, Brand], people: list[User]) -> Team:
    team, _new = Team.objects.get_or_create(brand=brands[demo.brand], name=demo.name)
    team.members.set([user for user in people if user.email.split("@")[0] in demo.members])
    return team
