"""Every page of the product and of the sandbox, as somebody who has a reason to look at it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page, expect

from tests.stack.running import Stack

SANDBOX = "sandbox"  # instead of a route's name: a page of the sandbox networks


@dataclass(frozen=True)
class Visit:
    """A page: the route it belongs to, its address with {things} to fill in, who looks ("" for nobody signed in)."""

    route: str
    path: str
    role: str = "admin"
    title: str = ""  # where a route is visited more than once
    then: Callable[[Page], None] | None = None  # what to do there before looking

    @property
    def name(self) -> str:
        return f"{self.route}-{self.title}" if self.title else self.route

    def go(self, page: Page, stack: Stack, things: dict[str, Any]) -> None:
        """Open the page and wait until it stands still."""
        base = stack.sandbox if self.route == SANDBOX else stack.url
        page.goto(base + self.path.format(**things))
        if self.then:
            self.then(page)


def things_of(stack: Stack, *program: str) -> dict[str, Any]:
    """What pages can be about, in the demo or as another program tells."""
    said = stack.site.run("-m", *(program or ("tests.stack.things",)))
    found: dict[str, Any] = json.loads(said.splitlines()[-1])
    return found


def _keys(page: Page) -> None:
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()


def _palette(page: Page) -> None:
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog")).to_be_visible()


def _filter(page: Page) -> None:
    page.locator("summary", has_text="Filter").click()


def _note(page: Page) -> None:
    page.locator(".lane-tab", has_text="Note").click()


def _wrong_password(page: Page) -> None:
    page.get_by_label("E-mail").fill("nobody@trailhead.example")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_load_state()


def _picked(page: Page) -> None:
    page.locator("#rows .pick").first.check()
    page.locator("#bulk summary", has_text="Tag").click()


def _held_back(page: Page) -> None:
    page.locator(".lane-tab", has_text="Public reply").click()
    page.get_by_label("Your text").fill("Is it maya@keller.example? We will write by Friday.")
    expect(page.locator("#proof mark").first).to_be_visible()


def _macros(page: Page) -> None:
    page.get_by_label("Your text").press_sequentially("/")
    expect(page.locator("#macro-choice [role=option]").first).to_be_visible()


def _known_already(page: Page) -> None:
    page.get_by_label("E-mail").fill("ben@trailhead.example")
    page.get_by_label("Name", exact=True).fill("Ben")
    page.get_by_role("button", name="Invite").click()
    expect(page.locator("[aria-invalid=true]").first).to_be_visible()


def _wrong_old_password(page: Page) -> None:
    page.get_by_label("Old password").fill("wrong")
    for label in ("New password", "New password confirmation"):
        page.get_by_label(label, exact=True).fill("short")
    page.get_by_role("button", name="Change the password").click()
    expect(page.locator("[aria-invalid=true]").first).to_be_visible()


PAGES = (
    Visit("sign-in", "/sign-in/", ""),
    Visit("sign-in", "/sign-in/", "", "refused", _wrong_password),
    Visit("password-reset", "/password/reset/", ""),
    Visit("password-reset-sent", "/password/reset/sent/", ""),
    Visit("password-set", "/password/set/{uid}/{token}/", ""),
    Visit("password-set", "/password/set/MQ/set-password/", "", "stale"),
    Visit("mails-off", "/notifications/mails/off/{reader}/", ""),
    Visit("inbox", "/", "agent", "mine"),
    Visit("inbox", "/?view=all", "agent", "all"),
    Visit("inbox", "/?view=all&q=tent", "agent", "search"),
    Visit("inbox", "/?view=all&q=zzzzzz", "agent", "nothing-found"),
    Visit("inbox", "/?view=all", "agent", "filter", _filter),
    Visit("inbox", "/?view=all", "agent", "keys", _keys),
    Visit("thread", "/threads/{thread}/?view=all", "agent"),
    Visit("thread", "/threads/{facebook_thread}/?view=all", "agent", "facebook"),
    Visit("thread", "/threads/{thread}/?view=all", "agent", "note", _note),
    Visit("whom", "/threads/{thread}/whom/?find=a", "agent"),
    Visit("inbox", "/?view=all", "agent", "palette", _palette),
    Visit("inbox", "/?view=all", "agent", "picked", _picked),
    Visit("inbox", "/?view=all", "nobody", "empty"),
    Visit("thread", "/threads/{facebook_thread}/?view=all", "agent", "held-back", _held_back),
    Visit("thread", "/threads/{facebook_thread}/?view=all", "agent", "macros", _macros),
    Visit("thread", "/threads/{long_thread}/?view=all", "agent", "long-words"),
    Visit("thread", "/threads/{arabic_thread}/?view=all", "agent", "arabic"),
    Visit("saved-view", "/views/new/"),
    Visit("search-help", "/search/help/", "agent"),
    Visit("item", "/threads/{thread}/items/{item}/"),
    Visit("around", "/threads/{thread}/around/"),
    Visit("grouping", "/threads/{thread}/grouping/"),
    Visit("promises", "/promises/"),
    Visit("macros", "/macros/"),
    Visit("macro-new", "/macros/new/"),
    Visit("macro", "/macros/{macro}/"),
    Visit("notices", "/notifications/"),
    Visit("notice-settings", "/profile/notifications/"),
    Visit("articles", "/articles/"),
    Visit("article", "/articles/{article}/"),
    Visit("approvals", "/approvals/"),
    Visit("contacts", "/contacts/"),
    Visit("contacts", "/contacts/", "agent", "agent"),
    Visit("contacts", "/contacts/", "admin", "palette", _palette),
    Visit("contact", "/contacts/{contact}/"),
    Visit("contact", "/contacts/{long_contact}/", title="long-words"),
    Visit("contact", "/contacts/{arabic_contact}/", title="arabic"),
    Visit("contacts", "/contacts/", "nobody", "empty"),
    Visit("contact-details", "/contacts/{contact}/details/"),
    Visit("contact-merge-search", "/contacts/{contact}/merge/"),
    Visit("contact-merge", "/contacts/{contact}/merge/{other}/"),
    Visit("contact-timeline", "/contacts/{contact}/timeline/"),
    Visit("channels", "/channels/"),
    Visit("channel-new", "/channels/new/"),
    Visit("connect-network", "/channels/new/twitter/", title="x"),
    Visit("connect-network", "/channels/new/facebook/", title="facebook"),
    Visit("channel", "/channels/{channel}/"),
    Visit("channel-keys", "/channels/{channel}/keys/"),
    Visit("channel-pages", "/channels/{channel}/pages/"),
    Visit("channel-set-aside", "/channels/{channel}/set-aside/"),
    Visit("channel-events", "/channels/{channel}/events/"),
    Visit("channel-reconciles", "/channels/{channel}/reconciles/"),
    Visit("outages", "/channels/outages/"),
    Visit("profile", "/profile/"),
    Visit("api-keys", "/profile/keys/"),
    Visit("password-change", "/password/change/"),
    Visit("password-change", "/password/change/", title="refused", then=_wrong_old_password),
    Visit("roles", "/roles/"),
    Visit("people", "/people/"),
    Visit("person-new", "/people/new/"),
    Visit("person-new", "/people/new/", title="refused", then=_known_already),
    Visit("person", "/people/{person}/"),
    Visit("brands", "/brands/"),
    Visit("brand-new", "/brands/new/"),
    Visit("brand", "/brands/{brand}/"),
    Visit("team-new", "/brands/{brand}/teams/new/"),
    Visit("team", "/brands/{brand}/teams/{team}/"),
    Visit("audit-log", "/audit/"),
    Visit("api-docs", "/api/v1/docs/"),
    Visit("api-elsewhere", "/nowhere/", title="not-found"),
    Visit(SANDBOX, "/play/x?as=walt_w&with=trailhead", "", "x"),
    Visit(SANDBOX, "/play/x", "", "nobody-yet"),
    Visit(SANDBOX, "/play/facebook?as=hikerdad&with=trailheadpage", "", "facebook"),
    Visit(SANDBOX, "/play/weather", "", "weather"),
)

# Routes that show no page of their own: steps that a form takes, fragments of pages above, answers for programs.
NO_PAGE = frozenset(
    {
        *("health", "ready", "live", "hook", "media", "theme", "sign-out", "api-schema"),
        *("api-me", "api-threads", "api-thread", "api-possibilities", "api-reply", "api-assign", "api-snooze"),
        *("api-close", "api-reopen", "api-notes", "api-interactions", "api-interaction", "api-undo", "api-contacts"),
        *("api-contact", "api-identities", "api-identity", "api-channels", "api-channel"),
        *("api-key-revoke", "person-invite", "team-remove", "connect-sandbox", "channel-pause", "channel-resume"),
        *(
            "channel-pull",
            "channel-pushes",
            "set-aside-settle",
            "set-aside-try",
            "event-replay",
            "channel-reconcile",
            "outage-banner",
        ),
        *("contact-tags", "contact-tag-remove", "contact-notes", "contact-note-delete", "contact-merge-undo"),
        *("rows", "thread-now", "replies", "assignment", "snooze", "close", "reopen"),
        *(
            "undo",
            "retry",
            "decide",
            "undo-last",
            "bulk",
            "bulk-count",
            "bulk-whom",
            "bulk-job",
            "bulk-undo",
            "saved-view-drop",
            "palette",
        ),
        *(
            "check",
            "draft",
            "owners",
            "delivery",
            "interaction",
            "macro-choice",
            "insert-macro",
            "entered",
            "steps",
            "move",
            "thread-tags",
            "reach",
            "known-tags",
        ),
        *("reading", "promise", "macro-delete", "claim", "moderation", "fork", "join", "grouping-undo", "names"),
        *("mentions", "notice-count", "notices-read", "credit", "article-step", "contact-credits", "approve", "refuse"),
        *("emoji", "picture", "picture-in", "picture-out", "push", "push-removal"),
        *("known-brands", "known-teams", "known-people", "known-channels", "saved-view-count"),
        *("known-colleagues", "known-team-names"),
        *("api-articles", "api-article", "api-draft-article", "api-edit-article", "api-step-article"),
        *("api-teams", "api-team", "api-blockings", "api-blocking"),
        *("api-upload-picture", "api-pictures", "api-remove-picture"),
        *("api-tags", "api-retry", "api-decide", "api-moderate", "api-promises", "api-promise", "api-settle"),
    }
)
