"""Every address declares who may use it, and means it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RegexPattern, RoutePattern

from accounts.models import User
from accounts.roles import Permission, Role, allows
from tests.conftest import BrowserOf

DECLARATIONS = {*Permission.values, "signed in", "public"}


def routes(
    patterns: list[URLPattern | URLResolver] | None = None, before: str = ""
) -> Iterator[tuple[str, URLPattern]]:
    """Every address of the product with its pattern."""
    for found in get_resolver().url_patterns if patterns is None else patterns:
        here = before + str(found.pattern)
        if isinstance(found, URLResolver):
            yield from routes(found.url_patterns, here)
        else:
            yield here, found


def access(pattern: URLPattern) -> str:
    return str(getattr(pattern.callback, "access", ""))


def an_address(route: str, pattern: URLPattern) -> str:
    """The address with something plausible in each place."""
    assert isinstance(pattern.pattern, RoutePattern | RegexPattern)
    names = {"pk": "1", "brand_pk": "1", "uidb64": "MQ", "token": "set-password", "hook_id": "x", "id": "1"}
    address = "/" + route
    while "<" in address:
        start, end = address.index("<"), address.index(">")
        name = address[start + 1 : end].split(":")[-1]
        address = address[:start] + names.get(name, "1") + address[end + 1 :]
    return address


def test_every_route_declares_who_may_use_it() -> None:
    undeclared = [route for route, pattern in routes() if access(pattern) not in DECLARATIONS]
    assert undeclared == []


def test_a_route_without_a_declaration_is_found() -> None:
    bare = URLPattern(RoutePattern("bare/"), lambda _request: None)
    assert [route for route, pattern in routes([bare]) if access(pattern) not in DECLARATIONS] == ["bare/"]


def test_a_stranger_is_kept_out_of_everything_that_is_not_public(nobody: Client) -> None:
    closed = [(route, pattern) for route, pattern in routes() if access(pattern) != "public"]
    answers = {route: nobody.get(an_address(route, pattern)) for route, pattern in closed}
    kept_out = {route for route, answer in answers.items() if _is_refusal(answer.status_code, answer.headers)}
    assert {route for route, _ in closed} - kept_out == set()
    assert len(closed) > 20


def test_a_page_takes_no_method_but_its_own(browser_of: BrowserOf, admin: User) -> None:
    client = browser_of(admin)
    pages = [(route, pattern) for route, pattern in routes() if not route.startswith("api/")]
    methods = ("PUT", "PATCH", "DELETE")
    taken = {
        (method, route)
        for route, pattern in pages
        for method in methods
        if client.generic(method, an_address(route, pattern)).status_code != 405
    }
    assert taken == set()


def _is_refusal(status: int, headers: Mapping[str, str]) -> bool:
    return status == 401 or (status == 302 and headers["Location"].startswith("/sign-in/"))


def test_no_role_below_a_routes_permission_gets_in(browser_of: BrowserOf, agent: User) -> None:
    client = browser_of(agent)
    beyond = [
        (route, pattern)
        for route, pattern in routes()
        if access(pattern) in Permission.values and not allows(Role.AGENT, Permission(access(pattern)))
    ]
    answers = {route: client.get(an_address(route, pattern)).status_code for route, pattern in beyond}
    kept_out = {route: 401 if route.startswith("api/") else 403 for route in answers}  # a session is no token
    assert answers == kept_out
    assert len(beyond) > 10


def test_no_address_of_a_page_or_a_form_refuses_to_be_opened(browser_of: BrowserOf, admin: User) -> None:
    client = browser_of(admin)
    opened = [an_address(route, pattern) for route, pattern in routes() if not route.startswith(("api/", "hooks/"))]
    answers = {address: client.get(address, follow=True).status_code for address in opened}
    assert {address for address, status in answers.items() if status not in (200, 204, 404)} == set()
    assert len(opened) > 100


@pytest.mark.parametrize(
    ("form", "page"),
    [
        ("/threads/5/replies/?view=all&q=x", "/threads/5/?view=all&q=x"),
        ("/threads/5/pictures/removal/", "/threads/5/pictures/"),
        ("/threads/5/pictures/", "/threads/5/"),
        ("/threads/5/macro/", "/threads/5/"),
        ("/threads/5/entered/", "/threads/5/"),
        ("/threads/5/items/6/fork/", "/threads/5/items/6/"),
        ("/approvals/5/refusal/", "/approvals/"),
        ("/contacts/5/merges/6/undo/", "/contacts/5/"),
        ("/channels/5/set-aside/6/try/", "/channels/5/set-aside/"),
        ("/deliveries/5/undo/", "/deliveries/5/"),
        ("/bulk/?view=mine", "/?view=mine"),
        ("/theme/", "/"),
    ],
)
def test_the_address_of_a_form_leads_to_the_page_above_it(
    browser_of: BrowserOf, admin: User, form: str, page: str
) -> None:
    assert browser_of(admin).get(form).headers["Location"] == page


def test_htmx_is_told_that_an_address_takes_only_forms(browser_of: BrowserOf, admin: User) -> None:
    assert browser_of(admin).get("/threads/5/replies/", headers={"HX-Request": "true"}).status_code == 405
