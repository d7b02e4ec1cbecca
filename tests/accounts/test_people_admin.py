"""What an admin does to people, brands and teams, and everybody to their own profile and keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.core import mail
from django.db import IntegrityError, connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import actions
from accounts.models import ApiKey, AuditEntry, Brand, Team, User
from accounts.roles import Role

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries

    from tests.conftest import BrowserOf


pytestmark = pytest.mark.django_db

ADMIN_PAGES = ("people", "person-new", "brands", "brand-new", "audit-log")


def new_person(**changed: Any) -> dict[str, Any]:
    return {"email": "new@example.com", "name": "Nia New", "role": "agent", **changed}


def as_form(person: User, **changed: Any) -> dict[str, Any]:
    fields = {"email": person.email, "name": person.name, "role": person.role, "is_active": "on"}
    return {**fields, "brands": [brand.pk for brand in person.brands.all()], **changed}


@pytest.mark.parametrize("page", ADMIN_PAGES)
def test_an_admin_opens_every_settings_page(admin: User, browser_of: BrowserOf, page: str) -> None:
    assert browser_of(admin).get(reverse(page)).status_code == 200


@pytest.mark.parametrize("page", ADMIN_PAGES)
def test_a_manager_is_kept_out_of_the_settings(manager: User, browser_of: BrowserOf, page: str) -> None:
    assert browser_of(manager).get(reverse(page)).status_code == 403


def test_an_invited_person_gets_a_mail_and_a_line_in_the_audit_log(
    admin: User, brand: Brand, browser_of: BrowserOf
) -> None:
    browser_of(admin).post(reverse("person-new"), new_person(brands=[brand.pk]))
    person = User.objects.get(email="new@example.com")
    assert list(person.brands.all()) == [brand]
    assert mail.outbox[0].to == ["new@example.com"]
    assert AuditEntry.objects.filter(verb="created", kind="user", object_id=person.pk, by=admin).count() == 1


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"email": "no address"}, "email"),
        ({"name": ""}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"role": "king"}, "role"),
        ({"brands": ["999999"]}, "brands"),
        ({"brands": ["abc"]}, "brands"),
        ({"teams": ["999999"]}, "teams"),
    ],
)
def test_bad_input_makes_no_person(
    admin: User, agent: User, browser_of: BrowserOf, wrong: dict[str, Any], field: str
) -> None:
    answer = browser_of(admin).post(reverse("person-new"), new_person(**wrong))
    assert field in answer.context["form"].errors
    assert User.objects.count() == 2


def test_nobody_is_invited_to_an_address_in_use(admin: User, agent: User, browser_of: BrowserOf) -> None:
    answer = browser_of(admin).post(reverse("person-new"), new_person(email=agent.email.upper()))
    assert "email" in answer.context["form"].errors


def test_a_team_member_must_serve_the_teams_brand(admin: User, brand: Brand, browser_of: BrowserOf) -> None:
    team = Team.objects.create(brand=brand, name="Care")
    answer = browser_of(admin).post(reverse("person-new"), new_person(teams=[team.pk]))
    assert "teams" in answer.context["form"].errors


def test_an_address_belongs_to_one_user_whatever_its_spelling(agent: User) -> None:
    with pytest.raises(IntegrityError):
        User.objects.create_user(agent.email.upper(), name="Twin")


def test_a_deactivated_person_is_out_at_once(admin: User, agent: User, browser_of: BrowserOf) -> None:
    client = browser_of(agent)
    _, token = ApiKey.issue(user=agent, name="script")
    form = as_form(agent)
    del form["is_active"]
    browser_of(admin).post(reverse("person", args=[agent.pk]), form)
    assert client.get(reverse("profile")).status_code == 302
    assert ApiKey.holder(token, timezone.now()) is None
    assert AuditEntry.objects.get(verb="deactivated").object_id == str(agent.pk)


def test_the_last_admin_stays_admin(admin: User, browser_of: BrowserOf) -> None:
    answer = browser_of(admin).post(reverse("person", args=[admin.pk]), as_form(admin, role="agent"))
    admin.refresh_from_db()
    assert "role" in answer.context["form"].errors
    assert admin.role == Role.ADMIN


def test_one_of_two_admins_may_step_down(admin: User, browser_of: BrowserOf) -> None:
    User.objects.create_user("second@example.com", name="Second", role=Role.ADMIN)
    browser_of(admin).post(reverse("person", args=[admin.pk]), as_form(admin, role="agent"))
    admin.refresh_from_db()
    assert admin.role == Role.AGENT


def test_the_people_list_asks_the_same_number_of_queries_for_two_as_for_forty(
    admin: User, brand: Brand, browser_of: BrowserOf, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = browser_of(admin)
    for number in range(40):
        actions.add_person(
            by=admin, email=f"p{number}@example.com", name=f"P {number}", role="agent", brands=[brand], teams=[]
        )
    with django_assert_num_queries(6):  # session, user, people, their brands, what is out of order, the bell
        client.get(reverse("people"))


def test_the_brands_and_a_brand_ask_the_same_number_of_queries_for_two_teams_as_for_many(
    admin: User, brand: Brand, browser_of: BrowserOf, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = browser_of(admin)
    Team.objects.bulk_create([Team(brand=brand, name=f"Team {number}") for number in range(60)])
    for team in Team.objects.all():
        team.members.add(admin)
    with django_assert_num_queries(6):  # session, user, brands, some of their teams, what is out of order, the bell
        client.get(reverse("brands"))
    with django_assert_num_queries(6):  # session, user, brand, its teams, what is out of order, the bell
        page = client.get(reverse("brand", args=[brand.pk])).content.decode()
    assert (page.count("1 member"), page.count('rel="next"')) == (50, 1)


def test_people_are_paged_without_gap_or_twin(
    admin: User, browser_of: BrowserOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.views.PEOPLE_PER_PAGE", 3)
    User.objects.bulk_create([User(email=f"p{n}@example.com", name="Same Name") for n in range(7)])
    client, seen, address = browser_of(admin), list[int](), reverse("people")
    while address:
        page = client.get(address).context["page"]
        seen += [person.pk for person in page.rows]
        address = f"{reverse('people')}?after={page.after}" if page.after else ""
    assert sorted(seen) == sorted(User.objects.values_list("pk", flat=True))


@pytest.mark.parametrize("mark", ["x", "W10", "WyJhIl0", "WyJhIiwgbnVsbF0", "WyJhXHUwMDAwIiwxXQ", "W3t9LCAxXQ", "é"])
def test_a_page_mark_that_we_did_not_make_is_refused(admin: User, browser_of: BrowserOf, mark: str) -> None:
    assert browser_of(admin).get(reverse("people"), {"after": mark}).status_code == 400


def test_a_brand_gets_its_short_name_from_its_name(admin: User, browser_of: BrowserOf) -> None:
    browser_of(admin).post(reverse("brand-new"), {"name": "Wild Trails", "undo_seconds": "0"})
    assert Brand.objects.get(slug="wild-trails").undo_seconds == 0


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": ""}, "name"),
        ({"slug": "two words"}, "slug"),
        ({"slug": "trailhead"}, "slug"),
        ({"name": "!!!"}, "slug"),
        ({"undo_seconds": "-1"}, "undo_seconds"),
        ({"undo_seconds": "601"}, "undo_seconds"),
        ({"undo_seconds": "soon"}, "undo_seconds"),
    ],
)
def test_bad_input_makes_no_brand(
    admin: User, brand: Brand, browser_of: BrowserOf, wrong: dict[str, str], field: str
) -> None:
    answer = browser_of(admin).post(reverse("brand-new"), {"name": "New", "undo_seconds": "10", **wrong})
    assert field in answer.context["form"].errors
    assert Brand.objects.count() == 1


def test_a_team_is_made_filled_and_removed(admin: User, agent: User, brand: Brand, browser_of: BrowserOf) -> None:
    client = browser_of(admin)
    client.post(reverse("team-new", args=[brand.pk]), {"name": "Care", "members": [agent.pk]})
    team = brand.teams.get()
    assert list(team.members.all()) == [agent]
    client.post(reverse("team-remove", args=[brand.pk, team.pk]))
    assert not brand.teams.exists()


def test_a_team_takes_no_stranger_to_its_brand(
    admin: User, stranger: User, brand: Brand, browser_of: BrowserOf
) -> None:
    answer = browser_of(admin).post(reverse("team-new", args=[brand.pk]), {"name": "Care", "members": [stranger.pk]})
    assert "members" in answer.context["form"].errors


def test_two_teams_of_a_brand_cannot_share_a_name(admin: User, brand: Brand, browser_of: BrowserOf) -> None:
    Team.objects.create(brand=brand, name="Care")
    answer = browser_of(admin).post(reverse("team-new", args=[brand.pk]), {"name": "CARE"})
    assert "name" in answer.context["form"].errors


def test_a_team_is_found_under_its_own_brand_only(
    admin: User, brand: Brand, other_brand: Brand, browser_of: BrowserOf
) -> None:
    team = Team.objects.create(brand=brand, name="Care")
    assert browser_of(admin).get(reverse("team", args=[other_brand.pk, team.pk])).status_code == 404


def test_everybody_edits_their_own_profile(agent: User, browser_of: BrowserOf) -> None:
    browser_of(agent).post(reverse("profile"), {"name": "Ana A.", "time_zone": "Europe/Berlin"})
    agent.refresh_from_db()
    assert (agent.name, agent.time_zone) == ("Ana A.", "Europe/Berlin")


def test_pages_stand_in_the_language_that_somebody_chose(agent: User, browser_of: BrowserOf) -> None:
    browser = browser_of(agent)
    browser.post(reverse("profile"), {"name": "Ana", "time_zone": "UTC", "language": "de"})
    answer = browser.get(reverse("profile"), headers={"Accept-Language": "en"})
    assert answer.headers["Content-Language"] == "de"
    assert '<html lang="de"' in answer.content.decode()


@pytest.mark.parametrize("wrong", [{"name": ""}, {"time_zone": "Mars/Olympus"}, {"time_zone": "../etc/passwd"}])
def test_a_bad_profile_is_not_saved(agent: User, browser_of: BrowserOf, wrong: dict[str, str]) -> None:
    answer = browser_of(agent).post(reverse("profile"), {"name": "X", "time_zone": "UTC", **wrong})
    agent.refresh_from_db()
    assert answer.context["form"].errors
    assert agent.name == "Ana"


def test_times_are_shown_in_the_users_own_zone(admin: User, browser_of: BrowserOf) -> None:
    entry = AuditEntry.objects.create(verb="created", kind="brand", object_id="1", by=admin)
    AuditEntry.objects.filter(pk=entry.pk).update(at="2026-03-01T23:30:00Z")
    User.objects.filter(pk=admin.pk).update(time_zone="Asia/Tokyo")
    assert "2 Mar 2026, 08:30" in browser_of(admin).get(reverse("audit-log")).content.decode()


def test_the_token_of_a_new_key_is_shown_once(agent: User, browser_of: BrowserOf) -> None:
    client = browser_of(agent)
    token = client.post(reverse("api-keys"), {"name": "script"}).context["token"]
    assert ApiKey.holder(token, timezone.now()) == agent
    assert token not in client.get(reverse("api-keys")).content.decode()


def test_the_page_with_a_token_is_kept_by_no_cache(agent: User, browser_of: BrowserOf) -> None:
    answer = browser_of(agent).post(reverse("api-keys"), {"name": "script"})
    assert "no-store" in answer.headers["Cache-Control"]


def test_a_key_needs_a_word_that_says_what_for(agent: User, browser_of: BrowserOf) -> None:
    assert browser_of(agent).post(reverse("api-keys"), {"name": ""}).context["form"].errors
    assert not ApiKey.objects.exists()


def test_a_revoked_key_opens_nothing(agent: User, browser_of: BrowserOf) -> None:
    key, token = ApiKey.issue(user=agent, name="script")
    browser_of(agent).post(reverse("api-key-revoke", args=[key.pk]))
    assert ApiKey.holder(token, timezone.now()) is None


def test_nobody_revokes_the_key_of_somebody_else(agent: User, manager: User, browser_of: BrowserOf) -> None:
    key, token = ApiKey.issue(user=agent, name="script")
    assert browser_of(manager).post(reverse("api-key-revoke", args=[key.pk])).status_code == 404
    assert ApiKey.holder(token, timezone.now()) == agent


def test_the_matrix_page_says_what_each_role_may_do(agent: User, browser_of: BrowserOf) -> None:
    rows = dict(browser_of(agent).get(reverse("roles")).context["rows"])
    assert rows["Merge and split contacts"] == [False, True, True]


def test_names_are_shown_as_text(admin: User, browser_of: BrowserOf) -> None:
    User.objects.create_user("x@example.com", name="<script>alert(1)</script>")
    assert "<script>alert" not in browser_of(admin).get(reverse("people")).content.decode()


def test_the_audit_log_tells_details_in_words(admin: User, agent: User, browser_of: BrowserOf) -> None:
    client = browser_of(admin)
    client.post(reverse("person", args=[agent.pk]), as_form(agent, role="manager", needs_approval="on"))
    page = client.get(reverse("audit-log")).content.decode()
    assert "changed fields: <bdi>role, public answers wait for approval</bdi>" in page
    assert ("role: <bdi>Manager</bdi>" in page, "needs_approval" in page) == (True, False)


def test_what_one_person_did_walks_an_index_in_its_order(admin: User) -> None:
    with connection.cursor() as cursor:
        # a small table would be read whole and sorted whatever its indexes
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off")
    shown = AuditEntry.objects.filter(by=admin, pk__lt=100).order_by("-id")[:50].explain()
    assert ("audit_by_person" in shown, "Sort" in shown) == (True, False)


# -- more than a page can show ----------------------------------------------------------------------------------------


@pytest.fixture
def crowd(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two are many."""
    monkeypatch.setattr("accounts.choosing.MOST_LISTED", 1)


def people_of(brand: Brand, *names: str) -> list[User]:
    people = [User.objects.create_user(f"{name.lower()}@example.com", name=name) for name in names]
    for person in people:
        person.brands.add(brand)
    return people


def test_of_a_crowd_a_form_shows_only_who_is_chosen(
    admin: User, brand: Brand, browser_of: BrowserOf, crowd: None
) -> None:
    ana, _ben = people_of(brand, "Ana", "Ben")
    team = Team.objects.create(brand=brand, name="Care")
    team.members.add(ana)
    page = browser_of(admin).get(reverse("team", args=[brand.pk, team.pk])).content.decode()
    assert ("Ana (ana@example.com)" in page, "Ben" in page, 'list="id_members_add_known"' in page) == (
        True,
        False,
        True,
    )


def test_a_member_is_added_to_a_crowd_by_address_and_taken_away_by_the_box(
    admin: User, brand: Brand, browser_of: BrowserOf, crowd: None
) -> None:
    ana, ben = people_of(brand, "Ana", "Ben")
    team = Team.objects.create(brand=brand, name="Care")
    team.members.add(ana)
    form = {"name": "Care", "members-shown": [ana.pk], "members-add": "BEN@example.com"}
    browser_of(admin).post(reverse("team", args=[brand.pk, team.pk]), form)
    assert list(team.members.all()) == [ben]


def test_whoever_a_form_does_not_show_stays_in_the_crowd(
    admin: User, brand: Brand, browser_of: BrowserOf, crowd: None
) -> None:
    ana, ben, cleo = people_of(brand, "Ana", "Ben", "Cleo")
    team = Team.objects.create(brand=brand, name="Care")
    team.members.add(ana, ben, cleo)
    form = {"name": "Care", "members": [ana.pk], "members-shown": [ana.pk], "members-drop": "cleo@example.com"}
    browser_of(admin).post(reverse("team", args=[brand.pk, team.pk]), form)
    assert list(team.members.all()) == [ana, ben]


def test_a_name_that_is_not_known_changes_nothing_and_is_said(
    admin: User, brand: Brand, other_brand: Brand, browser_of: BrowserOf, crowd: None
) -> None:
    people_of(brand, "Ana", "Ben")
    people_of(other_brand, "Stan")
    team = Team.objects.create(brand=brand, name="Care")
    form = {"name": "Care", "members-add": "stan@example.com"}
    answer = browser_of(admin).post(reverse("team", args=[brand.pk, team.pk]), form)
    assert "stan@example.com" in answer.context["form"].errors["members"][0]
    assert "stan@example.com" in answer.content.decode().split("id_members_add")[1]


def test_a_person_of_many_brands_and_teams_gets_one_more_of_each_by_name(
    admin: User, brand: Brand, other_brand: Brand, browser_of: BrowserOf, crowd: None
) -> None:
    (ana,) = people_of(brand, "Ana")
    Team.objects.create(brand=brand, name="Care")
    Team.objects.create(brand=other_brand, name="Care")
    form = as_form(ana) | {"brands-shown": [brand.pk], "brands-add": "nordlicht", "teams-add": "Nordlicht Coffee: care"}
    browser_of(admin).post(reverse("person", args=[ana.pk]), form)
    assert list(ana.brands.all()) == [other_brand, brand]
    assert [str(team.brand) for team in ana.teams.all()] == ["Nordlicht Coffee"]


@pytest.mark.parametrize(
    ("route", "typed", "proposed"),
    [
        ("known-brands", "licht", ["nordlicht"]),
        ("known-teams", "coffee", ["Nordlicht Coffee: Care"]),
    ],
)
def test_search_fields_are_told_what_matches(
    admin: User, other_brand: Brand, route: str, typed: str, proposed: list[str]
) -> None:
    Team.objects.create(brand=other_brand, name="Care")
    client = Client(headers={"HX-Trigger-Name": "members-add"})
    client.force_login(admin, backend="django.contrib.auth.backends.ModelBackend")
    told = client.get(reverse(route), {"members-add": typed}).content.decode()
    assert [part.split('"')[0] for part in told.split('value="')[1:]] == proposed
