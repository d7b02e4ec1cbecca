"""Articles and teams for programs: what the pages show, under the same rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Team
from conversations.models import Article, Interaction, Thread
from conversations.record import record
from tests.api.conftest import API, Caller
from tests.cast import MAYA, SOFIA, said

if TYPE_CHECKING:
    from accounts.models import Brand, User
    from channels_ingest.models import Channel

QUESTION = said("1", MAYA, "How do I pitch it?")
ADVICE = said("2", SOFIA, "Use the pole.", parent=QUESTION, minutes=1)
YES = said("3", SOFIA, "Sure, take it!", parent=ADVICE, minutes=9)


@pytest.fixture
def solved(channel: Channel) -> Thread:
    """Sofia solved what Maya asked, and later said that her words may be used."""
    record(channel, [QUESTION, ADVICE, YES])
    return Thread.objects.get(identity__external_id=MAYA.external_id)


def pk(external_id: str) -> int:
    return Interaction.objects.get(external_id=external_id).pk


@pytest.fixture
def article(solved: Thread, program: Caller) -> dict[str, Any]:
    told: dict[str, Any] = program.post(f"interactions/{pk('2')}/article/", {"thread": solved.pk}).json()
    return told


def test_an_article_is_drafted_once_and_credits_the_helper(
    solved: Thread, article: dict[str, Any], program: Caller, agent: User
) -> None:
    again = program.post(f"interactions/{pk('2')}/article/", {"thread": solved.pk}).json()
    assert (article["state"], article["interaction"], article["made_by"]["id"]) == ("draft", pk("2"), agent.pk)
    assert (again, solved.credits.count()) == (article, 1)


def test_the_customers_own_words_solve_nothing(solved: Thread, program: Caller) -> None:
    assert program.post(f"interactions/{pk('1')}/article/", {"thread": solved.pk}).status_code == 422
    assert not Article.objects.exists()


def test_it_is_published_only_with_consent(article: dict[str, Any], program: Caller) -> None:
    def step(**body: Any) -> Any:
        return program.post(f"articles/{article['id']}/step/", body)

    assert [step(step="publish").status_code, step(step="consent").status_code] == [422, 422]
    assert step(step="consent", interaction=pk("1")).status_code == 404
    assert step(step="ask").json()["state"] == "asked"
    assert step(step="consent", interaction=pk("3")).json()["consent"] == pk("3")
    assert step(step="publish").json()["state"] == "published"
    assert step(step="withdraw").json()["state"] == "withdrawn"


def test_its_words_are_changed(article: dict[str, Any], program: Caller) -> None:
    told = program.post(f"articles/{article['id']}/edit/", {"title": "Pitching", "text": "The pole holds it."}).json()
    assert (told["title"], program.get(f"articles/{article['id']}/").json()) == ("Pitching", told)


def test_words_that_somebody_changed_meanwhile_are_not_overwritten(article: dict[str, Any], program: Caller) -> None:
    path, mine = f"articles/{article['id']}/edit/", {"title": "Mine", "text": "x", "version": article["version"]}
    theirs = program.post(path, {"title": "Theirs", "text": "y", "version": article["version"]}).json()
    refused = program.post(path, mine)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "changed")
    assert program.get(f"articles/{article['id']}/").json()["title"] == "Theirs"
    assert program.post(path, {**mine, "version": theirs["version"]}).json()["title"] == "Mine"


def test_words_without_a_version_take_the_place_of_any_and_the_description_says_so(
    program: Caller, article: dict[str, Any]
) -> None:
    path = f"articles/{article['id']}/edit/"
    edited = [program.post(path, {"title": title, "text": "x"}).json()["title"] for title in ("Theirs", "Mine")]
    schema = program.get("schema/?format=json").json()
    described = schema["paths"][f"{API}articles/{{id}}/edit/"]["post"]["description"]
    assert (edited, "Without it, yours take the place" in described) == (["Theirs", "Mine"], True)


def test_another_brand_sees_and_does_nothing(solved: Thread, article: dict[str, Any], foreign_program: Caller) -> None:
    team = Team.objects.create(brand=solved.brand, name="Repairs")
    asked = (
        foreign_program.get(f"articles/{article['id']}/"),
        foreign_program.get(f"teams/{team.pk}/"),
        foreign_program.post(f"articles/{article['id']}/edit/", {"title": "x", "text": "y"}),
        foreign_program.post(f"articles/{article['id']}/step/", {"step": "ask"}),
        foreign_program.post(f"interactions/{pk('2')}/article/", {"thread": solved.pk}),
    )
    assert [answer.status_code for answer in asked] == [404] * 5
    lists = [foreign_program.get(f"{kind}/", brand=str(solved.brand_id)) for kind in ("articles", "teams")]
    assert [answer.json()["results"] for answer in lists] == [[], []]


def test_articles_are_listed_by_state_and_page_by_page(article: dict[str, Any], brand: Brand, program: Caller) -> None:
    Article.objects.create(brand=brand, title="Zips", text="Wax them.", state="asked")
    first = program.get("articles/", limit=1).json()
    rest = program.get(first["next"]).json()
    assert [row["title"] for row in (*first["results"], *rest["results"])] == ["Zips", article["title"]]
    assert [row["id"] for row in program.get("articles/", state="draft").json()["results"]] == [article["id"]]


def test_a_team_names_those_who_work_in_it(brand: Brand, agent: User, colleague: User, program: Caller) -> None:
    team = Team.objects.create(brand=brand, name="Repairs")
    team.members.set([agent, colleague])
    colleague.is_active = False
    colleague.save(update_fields=("is_active",))
    (row,) = program.get("teams/", brand=str(brand.pk)).json()["results"]
    assert (row["name"], [one["name"] for one in row["members"]]) == ("Repairs", ["Ana"])
    assert program.get(f"teams/{team.pk}/").json() == row


@pytest.mark.parametrize("kind", ["articles", "teams"])
def test_the_number_of_queries_does_not_grow(brand: Brand, agent: User, program: Caller, kind: str) -> None:
    program.get("me/")  # the first call of a key writes down when it was used
    counts = []
    for start in (0, 20):
        for number in range(start, start + 20):
            Team.objects.create(brand=brand, name=f"Team {number}").members.add(agent)
            Article.objects.create(brand=brand, title=str(number), text="x", made_by=agent)
        with CaptureQueriesContext(connection) as captured:
            program.get(f"{kind}/")
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 6
