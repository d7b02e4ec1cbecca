"""The public side: conversations as trees, newest first."""

from __future__ import annotations

from collections.abc import Iterator

from ..things import Item, Member
from .html import Markup, join, tag
from .scene import Scene, area, avatar, chip, ending, linked, picture, when

THREADS, PER_THREAD, DEEPEST, LOOKED_AT = 15, 60, 5, 400


def feed(scene: Scene) -> Markup:
    roots = list(_roots(scene))
    if not roots:
        return tag("p", "Nothing has been said here yet.", class_="soft empty")
    return join(*(tag("section", _thread(scene, one), class_="card thread") for one in roots))


def _roots(scene: Scene) -> Iterator[str]:
    """Ids of the newest conversations, the one that moved last first."""
    world = scene.site.world
    if scene.network == "facebook":
        page = scene.brand.id if scene.brand else ""
        posts = world.page_posts.get(page, [])[-LOOKED_AT:]
        moved = {one: _last_move(scene, one) for one in posts}
        yield from sorted(moved, key=lambda one: moved[one], reverse=True)[:THREADS]
        return
    seen: dict[str, None] = {}
    for place, item_id in enumerate(world.timeline.newest_first()):
        seen.setdefault(world.root_of(world.items["x"][item_id]))
        if len(seen) >= THREADS or place > LOOKED_AT:
            break
    yield from seen


def _last_move(scene: Scene, post_id: str) -> int:
    below = (one.id for one in scene.site.world.below("facebook", post_id))
    return max(int(one.split("_")[1]) for one in (post_id, *below))


def _thread(scene: Scene, root_id: str) -> Markup:
    world = scene.site.world
    root = world.items[scene.network].get(root_id)
    shown: list[Markup] = []
    if root is None:
        shown.append(tag("article", tag("p", "This post is not here.", class_="gone"), class_="item"))
    items = list(_in_order(scene, root, root_id))
    shown += [_item(scene, item, min(depth, DEEPEST)) for item, depth in items[:PER_THREAD]]
    if len(items) > PER_THREAD:
        shown.append(tag("p", f"… and {len(items) - PER_THREAD} more", class_="soft small"))
    return join(*shown)


def _in_order(scene: Scene, root: Item | None, root_id: str) -> Iterator[tuple[Item, int]]:
    """The newest version of every item of a tree with its depth, each before its answers."""
    world = scene.site.world
    top = [_newest(scene, root)] if root else _items(scene, world.children.get((scene.network, root_id), []))
    stack = [(item, 0 if root else 1) for item in reversed(top)]
    while stack:
        item, depth = stack.pop()
        if item.newer is None:
            yield item, depth
            stack += [(answer, depth + 1) for answer in reversed(_items(scene, _answers(scene, item)))]


def _items(scene: Scene, item_ids: list[str]) -> list[Item]:
    return [scene.site.world.items[scene.network][one] for one in item_ids]


def _newest(scene: Scene, item: Item) -> Item:
    return scene.site.world.versions(item)[-1]


def _answers(scene: Scene, item: Item) -> list[str]:
    """Answers to an item or to any of its older versions."""
    world = scene.site.world
    found: list[str] = []
    for version in world.versions(item):
        found += world.children.get((scene.network, version.id), [])
    return found


def _item(scene: Scene, item: Item, depth: int) -> Markup:
    world = scene.site.world
    author = world.member(scene.network, item.author)
    name = tag("b", author.name if author else item.author, dir="auto")
    handle = tag("i", f"@{author.username}") if author else None
    meta = tag("div", name, handle, when(item.created), _marks(item, author), class_="meta")
    body = tag("p", "Deleted.", class_="gone") if item.deleted else _body(scene, item)
    acts = None if item.deleted or scene.me is None else _acts(scene, item)
    ours = " ours" if author and author.brand else ""
    inside = join(avatar(author), tag("div", meta, body, acts, class_="grow"))
    return tag("article", inside, class_=f"item depth-{depth}{ours}", id=f"i{item.id}")


def _marks(item: Item, author: Member | None) -> list[Markup]:
    marks = {
        chip("brand", "ours"): author is not None and author.brand,
        chip("verified"): author is not None and author.verified and not author.brand,
        chip("edited"): item.edited is not None,
        chip("hidden", "warn"): item.hidden,
        chip("through the inbox", "good"): item.via == "api",
    }
    return [mark for mark, shown in marks.items() if shown]


def _body(scene: Scene, item: Item) -> Markup:
    pictures = [picture(one) for one in item.media or ()]
    quoted = scene.site.world.items[scene.network].get(item.quoted) if item.quoted else None
    quote = tag("blockquote", linked(quoted.text), dir="auto") if quoted and not quoted.deleted else None
    likes = tag("span", f"♥ {len(item.likes)}", class_="soft small") if item.likes else None
    return join(tag("p", linked(item.text), class_="text", dir="auto", lang=item.lang), pictures[:1], quote, likes)


def _acts(scene: Scene, item: Item) -> Markup:
    own = scene.me is not None and item.author == scene.me.id
    word = "Reply" if scene.network == "x" else "Comment"
    folds = [_fold(scene, word, "reply", item, "")]
    if scene.network == "x":
        folds.append(_fold(scene, "Quote", "quote", item, ""))
    if own:
        folds.append(_fold(scene, "Edit", "edit", item, item.text[item.prefix :]))
    buttons = [scene.form("like", tag("button", "Like", class_="link"), item=item.id, class_="inline")]
    if own:
        buttons.append(
            scene.form("delete", tag("button", "Delete", class_="link danger"), item=item.id, class_="inline")
        )
    return tag("div", folds, buttons, class_="acts")


def _fold(scene: Scene, label: str, do: str, item: Item, text: str) -> Markup:
    words = area(text, label=f"{label}: your words", most=scene.limit)
    form = scene.form(do, words, ending(label=label, counted=True), item=item.id)
    return tag("details", tag("summary", label), form, class_="act")
