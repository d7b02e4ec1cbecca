"""The doors of the play pages: showing, acting, and telling open pages that something happened."""

from __future__ import annotations

import asyncio
import hmac
import re
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from .. import acts, pictures
from ..acts import Refused
from ..control.asked import sample_picture
from ..ledger import Record
from ..site import Site, site_of
from ..things import Member, Network
from ..weather import BadFault
from . import faults, feed, pages
from .html import Markup, join, tag
from .scene import Scene, document

STATIC = Path(__file__).parent / "static"
COOKIE = "sandbox_csrf"
PING_EVERY_S = 20
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
SOMEBODIES = (
    ("Maya Keller", "mayak"), ("Jonas Okafor", "jonasok"), ("Li Peng", "lipeng"), ("Sofia Rossi", "sofia_r"),
    ("Dee Tran", "deetran"), ("Amir Haddad", "amirh"), ("نور السيد", "noor_s"), ("Yuki Tanaka", "yukit"),
    ("Pilar Gómez", "pilarg"), ("Tom Birch", "tombirch"),
)  # fmt: skip
Form = dict[str, str]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
STREAMS: web.AppKey[set[asyncio.Queue[int | None]]] = web.AppKey("streams", set)


# -- showing --------------------------------------------------------------------------------------------------------
async def home(request: web.Request) -> web.StreamResponse:
    raise web.HTTPFound("/play/x")


async def play(request: web.Request) -> web.Response:
    return _page(request, lambda csrf: pages.play(_scene(request, csrf)))


async def weather(request: web.Request) -> web.Response:
    notice = request.query.get("notice", "")[:200]
    return _page(request, lambda csrf: faults.weather(site_of(request), csrf, notice))


async def part(request: web.Request) -> web.Response:
    """One refreshed part of a page."""
    site, name = site_of(request), request.match_info["part"]
    csrf = request.cookies.get(COOKIE, "")
    parts: dict[str, Callable[[], Markup]] = {
        "feed": lambda: feed.feed(_scene(request, csrf)),
        "messages": lambda: pages.messages(_scene(request, csrf)),
        "counts": lambda: faults.counts(site),
        "calls": lambda: faults.calls(site),
        "faults": lambda: faults.faults(site, csrf),
    }
    if name not in parts:
        raise web.HTTPNotFound
    return _html(parts[name]())


def _scene(request: web.Request, csrf: str) -> Scene:
    site = site_of(request)
    network: Network = "facebook" if request.match_info.get("network", "x") == "facebook" else "x"
    me = site.world.by_username(network, request.query.get("as", "")) or None
    brands = site.world.brands(network)
    wanted = request.query.get("with", "").lower()
    brand = next((one for one in brands if one.username.lower() == wanted), brands[0] if brands else None)
    if me is not None and me.brand:
        brand = me
    return Scene(site, network, me, brand, csrf, request.query.get("notice", "")[:200])


def _page(request: web.Request, draw: Callable[[str], Markup]) -> web.Response:
    csrf = request.cookies.get(COOKIE) or secrets.token_urlsafe(24)
    response = _html(draw(csrf))
    response.set_cookie(COOKIE, csrf, httponly=True, samesite="Strict")
    return response


def _html(body: Markup) -> web.Response:
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store", "Referrer-Policy": "same-origin"}
    headers["X-Content-Type-Options"] = "nosniff"
    return web.Response(text=body, content_type="text/html", headers=headers)


async def permalink(request: web.Request) -> web.Response:
    """Where Graph's permalink_url leads."""
    site = site_of(request)
    item = site.world.items["facebook"].get(request.match_info["id"])
    page = site.world.member("facebook", item.page) if item and item.page else None
    if item is None or page is None:
        raise web.HTTPNotFound
    raise web.HTTPFound(f"/play/facebook?with={page.username}#i{item.id}")


async def avatar(request: web.Request) -> web.Response:
    network: Network = "x" if request.match_info["network"] == "x" else "facebook"
    member = site_of(request).world.member(network, request.match_info["id"])
    if member is None:
        raise web.HTTPNotFound
    headers = {"Cache-Control": "max-age=3600", "X-Content-Type-Options": "nosniff"}
    body = pictures.avatar_png(member.username, brand=member.brand)
    return web.Response(body=body, content_type="image/png", headers=headers)


async def picture(request: web.Request) -> web.Response:
    body = pictures.landscape_png(request.match_info["id"])
    return web.Response(body=body, content_type="image/png", headers={"Cache-Control": "max-age=3600"})


async def uploaded(request: web.Request) -> web.StreamResponse:
    world = site_of(request).world
    found = world.uploads.get(request.match_info["id"])
    if found is None:
        raise web.HTTPNotFound
    return web.Response(body=(world.pictures / found.id).read_bytes(), content_type=found.content_type)


# -- acting ---------------------------------------------------------------------------------------------------------
async def act(request: web.Request) -> web.StreamResponse:
    """Every form of the pages. Comes back to the page, with a notice where it was refused."""
    form: Form = {name: str(value) for name, value in (await request.post()).items()}
    cookie = request.cookies.get(COOKIE, "")
    if not cookie or not hmac.compare_digest(cookie.encode(), form.get("csrf", "").encode()):
        raise web.HTTPForbidden(text="The form is too old. Reload the page and try again.\n")
    site = site_of(request)
    do = _WEATHER.get(form.get("do", ""))
    if do is not None:
        raise web.HTTPSeeOther("/play/weather" + _notice(lambda: do(site, form)))
    raise web.HTTPSeeOther(_act_on_network(request, site, form))


def _notice(do: Callable[[], object]) -> str:
    try:
        do()
    except (Refused, BadFault, ValueError) as refused:
        return "?" + urlencode({"notice": str(refused)})
    return ""


def _act_on_network(request: web.Request, site: Site, form: Form) -> str:
    network: Network = "facebook" if form.get("network") == "facebook" else "x"
    scene = Scene(site, network, site.world.by_username(network, form.get("as", "")), None, "")
    scene.brand = site.world.by_username(network, form.get("with", ""))
    try:
        do = _ACTS.get(form.get("do", ""))
        if do is None:
            raise Refused("There is no such thing to do.")
        anchor = do(scene, form) or ""
    except Refused as refused:
        return scene.url(notice=str(refused))
    return scene.url() + (f"#i{anchor}" if anchor else "")


def _me(scene: Scene) -> Member:
    if scene.me is None:
        raise Refused("Be somebody first.")
    return scene.me


def _via(scene: Scene) -> acts.Via:
    return "native" if _me(scene).brand else "person"


def _words(form: Form) -> str:
    text = form.get("text", "").replace("\r\n", "\n").strip()
    if not text:
        raise Refused("There are no words in it.")
    if len(text) > 10_000:
        raise Refused("That is too long.")
    return text


def _picked(scene: Scene, form: Form) -> Any:
    item = scene.site.world.items[scene.network].get(form.get("item", ""))
    if item is None or item.deleted:
        raise Refused("That is not there any more.")
    return item


def _person(scene: Scene, form: Form) -> None:
    world = scene.site.world
    name, handle = form.get("name", "").strip(), form.get("handle", "").strip().lstrip("@")
    if not name and not handle:
        free = [one for one in SOMEBODIES if one[1] not in world.people]
        name, handle = secrets.choice(free) if free else ("Somebody", "somebody_" + secrets.token_hex(2))
    handle = handle or re.sub(r"[^a-z0-9_]", "", name.lower().replace(" ", "_"))[:15]
    handle = handle or "somebody_" + secrets.token_hex(2)
    given = form.get("followers", "")
    followers = int(given) if given.isdecimal() and len(given) < 10 else 0
    facts = {"followers": followers, "verified": "verified" in form}
    scene.me = acts.create_person(world, handle=handle, name=name, **facts)[scene.network]


def _brand(scene: Scene, form: Form) -> None:
    handle, name = form.get("handle", ""), form.get("name", "")
    scene.brand = acts.create_brand(scene.site.world, scene.network, handle=handle, name=name, verified=True)


def _post(scene: Scene, form: Form) -> str:
    me, text, world = _me(scene), _words(form), scene.site.world
    media = [sample_picture()] if "picture" in form else None
    if scene.network == "x":
        return acts.post_on_x(world, me, text, via=_via(scene), media=media).id
    page = me if me.brand else scene.brand
    if page is None:
        raise Refused("There is no Page to write to.")
    tagged = form.get("where") == "tagged" and not me.brand
    return acts.post_on_page(world, page, me, text, tagged=tagged, via=_via(scene), media=media).id


def _reply(scene: Scene, form: Form) -> str:
    item, me, text = _picked(scene, form), _me(scene), _words(form)
    if scene.network == "x":
        return acts.post_on_x(scene.site.world, me, text, reply_to=item, via=_via(scene)).id
    return acts.comment(scene.site.world, item, me, text, via=_via(scene)).id


def _quote(scene: Scene, form: Form) -> str:
    return acts.post_on_x(scene.site.world, _me(scene), _words(form), quoted=_picked(scene, form), via=_via(scene)).id


def _own(scene: Scene, form: Form) -> Any:
    item = _picked(scene, form)
    if item.author != _me(scene).id:
        raise Refused("That was written by somebody else.")
    return item


def _edit(scene: Scene, form: Form) -> str:
    return acts.edit(scene.site.world, _own(scene, form), _words(form), via=_via(scene)).id


def _delete(scene: Scene, form: Form) -> None:
    acts.delete(scene.site.world, _own(scene, form), via=_via(scene))


def _like(scene: Scene, form: Form) -> str:
    item = _picked(scene, form)
    acts.like(scene.site.world, item, _me(scene))
    return str(item.id)


def _follow(scene: Scene, form: Form) -> None:
    if scene.brand is not None:
        acts.follow(scene.site.world, _me(scene), scene.brand, on=form.get("on") == "on")


def _message(scene: Scene, form: Form) -> None:
    me, to = _me(scene), scene.site.world.member(scene.network, form.get("to", ""))
    if to is None or to.id == me.id or me.brand == to.brand:
        raise Refused("A message runs between a person and a brand.")
    media = [sample_picture()] if "picture" in form else None
    words, apart = _words(form), scene.network == "facebook"  # there a picture is a message of its own
    acts.send_message(scene.site.world, me, to, words, via=_via(scene), media=None if apart else media)
    if media and apart:
        acts.send_message(scene.site.world, me, to, "", via=_via(scene), media=media)


_ACTS: dict[str, Callable[[Scene, Form], str | None]] = {
    "person": _person, "brand": _brand, "post": _post, "reply": _reply, "quote": _quote, "edit": _edit,
    "delete": _delete, "like": _like, "follow": _follow, "message": _message,
}  # fmt: skip


def _calm(site: Site, form: Form) -> None:
    wanted = form.get("fault", "")
    if wanted == "all":
        site.weather.clear()
    elif wanted.isdecimal():
        site.weather.remove(int(wanted))


def _fault(site: Site, form: Form) -> None:
    asked: dict[str, Any] = {"fault": form.get("fault"), "network": form.get("on", "*")}
    asked["probability"] = float(form.get("percent") or 100) / 100
    asked |= {"count": int(form["count"])} if form.get("count") else {}
    asked |= {"ms": int(form["ms"])} if form.get("ms") else {}
    site.weather.add(asked)


def _preset(site: Site, form: Form) -> None:
    _, asked = faults.PRESETS.get(form.get("preset", ""), ("", None))
    if asked is not None:
        site.weather.add(dict(asked))


def _token(site: Site, form: Form) -> None:
    network: Network = "facebook" if form.get("on") == "facebook" else "x"
    dead = {"subcode": 460} if form.get("what") == "revoke" else None
    site.world.record("token.changed", network=network, id=form.get("account", ""), changes={"dead": dead})


_WEATHER: dict[str, Callable[[Site, Form], None]] = {
    "calm": _calm, "fault": _fault, "preset": _preset, "token": _token,
}  # fmt: skip


# -- live -----------------------------------------------------------------------------------------------------------
async def events(request: web.Request) -> web.StreamResponse:
    """Server-sent events: one line for each thing that happened."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
    await response.prepare(request)
    queue: asyncio.Queue[int | None] = asyncio.Queue()
    site = site_of(request)
    tell = _teller(queue)
    request.app[STREAMS].add(queue)
    site.world.listeners.append(tell)
    try:
        await response.write(b"retry: 2000\n\n")
        await _stream(response, queue)
    except ConnectionResetError:
        return response
    finally:
        site.world.listeners.remove(tell)
        request.app[STREAMS].discard(queue)
    return response


def _teller(queue: asyncio.Queue[int | None]) -> Callable[[Record], None]:
    return lambda event: queue.put_nowait(event["n"])


async def _stream(response: web.StreamResponse, queue: asyncio.Queue[int | None]) -> None:
    while True:
        try:
            number = await asyncio.wait_for(queue.get(), PING_EVERY_S)
        except TimeoutError:
            await response.write(b": still here\n\n")
            continue
        if number is None:
            return
        await response.write(f"id: {number}\ndata: {number}\n\n".encode())


async def close_streams(app: web.Application) -> None:
    for queue in app[STREAMS]:
        queue.put_nowait(None)


@web.middleware
async def kind_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A page for what is not there, where a browser asks."""
    try:
        return await handler(request)
    except web.HTTPNotFound:
        path = urlsplit(request.path).path
        if path.startswith(("/x/", "/graph/", "/control/")):
            raise
        words = join(tag("h1", "Nothing is here"), tag("p", tag("a", "Back to the networks", href="/")))
        response = _html(document("Not here", tag("main", words, id="content", class_="weather"), here=""))
        response.set_status(404)
        return response


def routes() -> list[web.AbstractRouteDef]:
    return [
        web.get("/", home),
        web.get("/play/{network:x|facebook}", play),
        web.get("/play/weather", weather),
        web.get("/play/part/{network:x|facebook}/{part}", part),
        web.get("/play/events", events),
        web.post("/play/act", act),
        web.get("/posts/{id}", permalink),
        web.get(r"/avatars/{network:x|facebook}/{id:\d+}.png", avatar),
        web.get(r"/media/{id:\d+}.png", picture),
        web.get(r"/media/uploaded/{id:\d+}", uploaded),
        web.static("/play/static", STATIC),
    ]
