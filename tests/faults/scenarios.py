"""The paths whose every step is a place to die: how each is set up, what is killed, and what the world does after."""

from __future__ import annotations

import base64
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

from tests.faults.catcher import Caught
from tests.faults.judge import Pressed
from tests.faults.stage import Outcome, Stage

Trap = dict[str, str]
Call = tuple[str, dict[str, Any]]  # an act and its arguments
Calls = list[Call]

MORE_THAN_A_PAGE = 105


@dataclass
class Scene:
    """One play of a scenario on a channel of its own."""

    brand: dict[str, Any]
    channel: int
    agent: int
    hook: str
    customer: str
    pressed: list[Pressed] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)


class Scenario(ABC):
    """`every_statement` makes each SQL statement a place to die, besides the named failpoints; `holes` says that the
    stage was set with something missing below a cursor, on purpose."""

    name: ClassVar[str]
    kind: ClassVar[str] = "x"
    every_statement: bool = False
    holes: ClassVar[bool] = False

    def __init__(self, stage: Stage, bug: str = "") -> None:
        self.stage = stage
        self.bug = bug

    def scenes(self, count: int) -> list[Scene]:
        """Fresh channels, set up side by side and held until their strike."""
        brands = [self.stage.brand(self.kind) for _ in range(count)]
        connected = self.stage.act("connect_all", kind=self.kind, brands=brands)
        scenes = [
            Scene(brand, one["channel"], one["agent"], one["hook"], self.stage.person())
            for brand, one in zip(brands, connected, strict=True)
        ]
        for batch in zip(*(self.set_up(scene) for scene in scenes), strict=True):
            self.stage.act("each", calls=[call for calls in batch for call in calls])
        for scene in scenes:
            self.stage.hold(scene.channel)
        return scenes

    def play(self, scene: Scene, trap: Trap) -> Outcome:
        """The strike."""
        self.stage.open_channel(scene.channel)
        self.before(scene)
        outcome = self.strike(scene, trap | ({"FAILPOINT_SQL": "1"} if self.every_statement else {}))
        self.stage.hold(scene.channel)
        return outcome

    @abstractmethod
    def set_up(self, scene: Scene) -> Iterator[Calls]:
        """Makes the world ready and yields what the product has to do meanwhile; all scenes go in step."""

    @abstractmethod
    def strike(self, scene: Scene, trap: Trap) -> Outcome:
        """What is killed."""

    def before(self, scene: Scene) -> None:  # noqa: B027 (most scenarios need nothing)
        """What must happen right before the strike."""

    def after(self, scene: Scene) -> Calls:
        """What the network or a person does again when nobody answered."""
        return []

    def check(self, scene: Scene) -> list[str]:
        """What the judge cannot know: complaints."""
        return []

    # -- what people do -----------------------------------------------------------------------------------------------

    def says(self, scene: Scene, **more: Any) -> dict[str, Any]:
        """The customer speaks to the brand in public."""
        handle, mark = scene.brand["username"], self.stage.canary()
        where = {} if self.kind == "x" or "reply_to" in more else {"page": handle}
        text = f"@{handle} where is my tent? {mark}" if self.kind == "x" else f"Where is my tent? {mark}"
        said: dict[str, Any] = self.stage.control(
            "POST", f"{self.kind}/posts", {"author": scene.customer, "text": text, **where, **more}
        )
        return said | {"canary": mark}

    def whispers(self, scene: Scene) -> str:
        """The customer writes in private; returns the canary."""
        mark = self.stage.canary()
        text = f"My order is 4711. {mark}"
        body = {"author": scene.customer, "to": scene.brand["username"], "text": text}
        self.stage.control("POST", f"{self.kind}/messages", body)
        return mark

    def pressing(self, scene: Scene, action: str = "reply") -> Call:
        """The agent presses Send; again after a crash, with the same key."""
        if not scene.pressed:
            scene.pressed.append(Pressed(str(uuid.uuid4()), self.stage.canary()))
        one = scene.pressed[0]
        text = f"Sorry, a set is on its way. {one.canary}"
        who = {"channel": scene.channel, "agent": scene.agent}
        return ("reply", who | {"text": text, "key": one.key, "action": action})

    def strike_at(self, call: Call, trap: Trap) -> Outcome:
        """Performs the call in a process with this trap."""
        return self.stage.try_act(call[0], trap=trap, bug=self.bug, **call[1])

    def listen(self, scene: Scene) -> None:
        """Registers the catcher as the brand's webhook."""
        path = f"/{self.kind}/{scene.brand['id']}"
        given = scene.brand["credentials"]
        self.stage.catcher.secrets[path] = given.get("consumer_secret", "")
        asked = {"url": self.stage.catcher_url + path, "app": given.get("consumer_key") or given["app_id"]}
        self.stage.control("POST", f"{self.kind}/webhook", asked)
        scene.facts["path"] = path

    def caught(self, scene: Scene, canary: str) -> Caught:
        """The true body in which the network tells of the words."""
        return self.stage.catcher.wait_for(scene.facts["path"], canary)[0]

    def requesting(self, scene: Scene, caught: Caught) -> Call:
        """The network's request to the product."""
        body = base64.b64encode(caught.body).decode()
        return ("hook", {"path": scene.hook, "body": body, "headers": caught.headers})


class SendReply(Scenario):
    """A public reply leaves, killed at any statement."""

    name = "send a reply on X"
    every_statement = True
    action: ClassVar[str] = "reply"

    def set_up(self, scene: Scene) -> Iterator[Calls]:
        self.says(scene) if self.action == "reply" else self.whispers(scene)
        yield [("pull", {"channel": scene.channel}), self.pressing(scene, self.action)]

    def strike(self, scene: Scene, trap: Trap) -> Outcome:
        return self.strike_at(("send", {}), trap)


class SendComment(SendReply):
    name = "send a comment on Facebook"
    kind = "facebook"
    every_statement = False


class SendDirect(SendReply):
    name = "send a direct message on X"
    every_statement = False
    action = "message"


class SendPicture(SendReply):
    """Words and a picture in Messenger, which is an answer of its own: both leave once, in this order."""

    name = "send a Messenger message and a picture after it"
    kind = "facebook"
    every_statement = False
    action = "message"

    def pressing(self, scene: Scene, action: str = "reply") -> Call:
        _reply, said = super().pressing(scene, action)
        return ("reply_with_picture", said)

    def check(self, scene: Scene) -> list[str]:
        lines = self.stage.control("GET", "ledger?kind=accepted&limit=100000")["lines"]
        messages = [line["message"] for line in lines if "message" in line]
        ours = [one for one in messages if one["sender"] == scene.brand["id"]]
        accepted = [(one["id"], bool(one["text"])) for one in ours]
        known = self.stage.act("pictures_sent", channel=scene.channel)
        shown = [(external_id, False) for state, external_id in known if state in ("sent", "verified")]
        if [words for _id, words in accepted] == [True, False] and shown == accepted[1:]:
            return []
        return [f"the network took {accepted}, and we know {known}"]


class ReadBack(SendReply):
    """The answer was lost; the network is read back, killed at any statement."""

    name = "read an unknown reply back on X"

    def set_up(self, scene: Scene) -> Iterator[Calls]:
        yield from super().set_up(scene)
        path, account = "tweets|comments|messages|dm_conversations", scene.brand["id"]
        cut = {"network": self.kind, "fault": "cut_after", "methods": ["POST"], "path": path, "account": account}
        self.stage.control("POST", "switches", cut | {"count": 1})
        yield [("send", {"settle": 3600})]

    def before(self, scene: Scene) -> None:
        """The hour has passed."""
        self.stage.sql("UPDATE conversations_delivery SET not_before = now() WHERE channel_id = %s", scene.channel)


class ReadBackComment(ReadBack):
    name = "read an unknown comment back on Facebook"
    kind = "facebook"
    every_statement = False


class Press(Scenario):
    """The request that writes a reply is killed; the browser sends it again with the same key."""

    name = "press Send"
    every_statement = True

    def set_up(self, scene: Scene) -> Iterator[Calls]:
        self.says(scene)
        yield [("pull", {"channel": scene.channel})]

    def strike(self, scene: Scene, trap: Trap) -> Outcome:
        return self.strike_at(self.pressing(scene), trap)

    def after(self, scene: Scene) -> Calls:
        return [self.pressing(scene)]


class PressFacebook(Press):
    name = "press Send for Facebook"
    kind = "facebook"
    every_statement = False


class Poll(Scenario):
    """A pull of posts, replies and messages."""

    name = "ingest by poll from X"
    every_statement = True

    def set_up(self, scene: Scene) -> Iterator[Calls]:
        first = self.says(scene)
        self.says(scene, reply_to=first["id"])
        native = {"author": scene.brand["username"], "text": f"We look into it. {self.stage.canary()}"}
        self.stage.control("POST", f"{self.kind}/posts", native | {"reply_to": first["id"]})
        self.whispers(scene)
        yield []

    def strike(self, scene: Scene, trap: Trap) -> Outcome:
        return self.strike_at(("pull", {"channel": scene.channel}), trap)


class PollFacebook(Poll):
    name = "ingest by poll from Facebook"
    kind = "facebook"
    every_statement = False


class Hook(Scenario):
    """A webhook request is killed before it is answered; the network sends it again."""

    name = "receive a webhook of X"
    every_statement = True

    def set_up(self, scene: Scene) -> Iterator[Calls]:
        self.listen(scene)
        scene.facts["caught"] = self.caught(scene, self.says(scene)["canary"])
        yield []

    def strike(self, scene: Scene, trap: Trap) -> Outcome:
        return self.strike_at(self.requesting(scene, scene.facts["caught"]), trap)

    def after(self, scene: Scene) -> Calls:
        """What was answered is not sent again."""
        answered = self.stage.root / "answered"
        caught = scene.facts["caught"]
        if answered.exists() and caught.digest in answered.read_text().split():
            return []
        return [self.requesting(scene, caught)]

    def check(self, scene: Scene) -> list[str]:
        digest = scene.facts["caught"].digest
        kept = self.stage.act("kept", digest=digest)
        return [] if kept else [f"the webhook {digest[:12]} was answered and is nowhere"]


class Process(Hook):
    """A stored webhook becomes posts, killed at any statement."""

    name = "process a webhook of X"

    def set_up(self, scene: Scene) -> Iterator[Calls]:
        yield from super().set_up(scene)
        yield [self.requesting(scene, scene.facts["caught"])]

    def strike(self, scene: Scene, trap: Trap) -> Outcome:
        return self.strike_at(("process", {}), trap)

    def after(self, scene: Scene) -> Calls:
        return []


class ProcessFacebook(Process):
    name = "process a webhook of Facebook"
    kind = "facebook"
    every_statement = False


class ProcessHeap(Process):
    """Several stored webhooks of a channel become posts in one transaction."""

    name = "process a heap of webhooks of X"
    every_statement = False

    def set_up(self, scene: Scene) -> Iterator[Calls]:
        yield from super().set_up(scene)
        more = [self.says(scene)["canary"] for _ in range(3)]
        yield [self.requesting(scene, self.caught(scene, canary)) for canary in more]


class Delete(Process):
    """A customer deletes a stored comment; the removal is killed at any statement."""

    name = "remove what was deleted on Facebook"
    kind = "facebook"

    def set_up(self, scene: Scene) -> Iterator[Calls]:
        self.listen(scene)
        said = self.says(scene)
        scene.facts["canary"] = said["canary"]
        yield [self.requesting(scene, self.caught(scene, said["canary"])), ("process", {}), ("index", {})]
        self.stage.control("DELETE", f"{self.kind}/posts/{said['id']}")
        yield [self.requesting(scene, self.caught(scene, '"remove"'))]

    def check(self, scene: Scene) -> list[str]:
        """Nowhere in the database may the words stand any more."""
        where = self.stage.act("find_words", words=scene.facts["canary"])
        return [f"the words of a deleted post stand in {', '.join(where)}"] if where else []


class MergePeople(Scenario):
    """Two customers become one, killed at any statement; the agent asks again."""

    name = "merge two contacts"
    every_statement = True

    def set_up(self, scene: Scene) -> Iterator[Calls]:
        for _ in range(2):
            self.says(scene)
            scene.customer = self.stage.person()
        yield [("pull", {"channel": scene.channel})]

    def strike(self, scene: Scene, trap: Trap) -> Outcome:
        return self.strike_at(("merge", {"channel": scene.channel}), trap)

    def after(self, scene: Scene) -> Calls:
        return [("merge", {"channel": scene.channel})]

    def check(self, scene: Scene) -> list[str]:
        people = len(set(self.stage.act("contacts_of", channel=scene.channel)))
        return [] if people == 1 else [f"channel {scene.channel} has {people} timelines after the merge"]


class UnmergePeople(MergePeople):
    """A merge is undone, killed at any statement."""

    name = "undo a merge"

    def set_up(self, scene: Scene) -> Iterator[Calls]:
        yield from super().set_up(scene)
        before = self.stage.act("contacts_of", channel=scene.channel)
        yield [("merge", {"channel": scene.channel})]
        scene.facts["before"] = before

    def strike(self, scene: Scene, trap: Trap) -> Outcome:
        return self.strike_at(("unmerge", {"channel": scene.channel}), trap)

    def after(self, scene: Scene) -> Calls:
        return [("unmerge", {"channel": scene.channel})]

    def check(self, scene: Scene) -> list[str]:
        now = self.stage.act("contacts_of", channel=scene.channel)
        return [] if now == scene.facts["before"] else [f"{now} after the undo, {scene.facts['before']} before"]


class ManyPages(Poll):
    """More mentions than one page holds."""

    name = "ingest many pages from X"
    every_statement = False

    def set_up(self, scene: Scene) -> Iterator[Calls]:
        for _ in range(MORE_THAN_A_PAGE):
            self.says(scene)
        yield []


class Taken(Poll):
    """An agent has the thread on which the customer writes again, and the brand answers in the native app: a pull is to
    tell the agent, and to stop the clock."""

    name = "tell whoever has the thread"
    every_statement = False

    def set_up(self, scene: Scene) -> Iterator[Calls]:
        now = int(time.time() * 1000)
        first = self.says(scene, at=now - 90_000)
        yield [("pull", {"channel": scene.channel}), ("take", {"channel": scene.channel, "agent": scene.agent})]
        again = self.says(scene, reply_to=first["id"], at=now - 60_000)
        native = {"author": scene.brand["username"], "text": f"We look into it. {self.stage.canary()}"}
        self.stage.control("POST", f"{self.kind}/posts", native | {"reply_to": again["id"], "at": now - 30_000})
        yield []


class Renew(Scenario):
    """A dead token is replaced, killed at any statement; what was missed comes in by itself."""

    name = "give a dead channel new keys"
    every_statement = True

    def set_up(self, scene: Scene) -> Iterator[Calls]:
        self.says(scene)
        yield [("hire_admin", {}), ("pull", {"channel": scene.channel})]
        token = f"{self.kind}/brands/{scene.brand['id']}/token"
        self.stage.control("POST", token, {"action": "revoke"})
        self.says(scene)
        yield [("pull", {"channel": scene.channel})]
        renewed = self.stage.control("POST", token, {"action": "renew"})
        scene.facts["keys"] = renewed["credentials"]

    def strike(self, scene: Scene, trap: Trap) -> Outcome:
        return self.strike_at(self._renewing(scene), trap)

    def after(self, scene: Scene) -> Calls:
        return [self._renewing(scene)]

    def _renewing(self, scene: Scene) -> Call:
        return ("renew", {"channel": scene.channel, "credentials": scene.facts["keys"]})


class RenewAccess(Scenario):
    """An access that ends is renewed, killed at any statement. A refresh token is good once: where the new pair died
    with its process the channel says so, and goes on when a person has signed in again."""

    name = "renew an access that ends"
    every_statement = True

    def set_up(self, scene: Scene) -> Iterator[Calls]:
        self.says(scene)
        yield [("renew", {"channel": scene.channel, "credentials": self._pair(scene)}), self._pull(scene)]
        self._token(scene, "expire")
        self.says(scene)
        yield []

    def before(self, scene: Scene) -> None:
        """It is time, and whoever had claimed it is long gone."""
        self.stage.sql(
            "UPDATE channels_ingest_renewal SET due_at = now(), lease_until = NULL WHERE channel_id = %s", scene.channel
        )

    def strike(self, scene: Scene, trap: Trap) -> Outcome:
        return self.strike_at(("renew_access", {}), trap)

    def after(self, scene: Scene) -> Calls:
        self.before(scene)
        self.stage.act("renew_access", bug=self.bug)
        state, words = self.stage.act("state_of", channel=scene.channel)
        scene.facts["told"] = words if state == "broken" else "nothing"
        if state == "broken":
            return [("renew", {"channel": scene.channel, "credentials": self._pair(scene)}), self._pull(scene)]
        return [self._pull(scene)]

    def check(self, scene: Scene) -> list[str]:
        state, words = self.stage.act("state_of", channel=scene.channel)
        silent = [] if scene.facts["told"] else ["the channel broke and nobody was told why"]
        return silent + ([] if state == "active" else [f"channel {scene.channel} is {state}: {words}"])

    def _pull(self, scene: Scene) -> Call:
        return ("pull", {"channel": scene.channel})

    def _pair(self, scene: Scene) -> dict[str, str]:
        pair: dict[str, str] = self._token(scene, "pair")["credentials"]
        return pair

    def _token(self, scene: Scene, action: str) -> dict[str, Any]:
        path = f"{self.kind}/brands/{scene.brand['id']}/token"
        found: dict[str, Any] = self.stage.control("POST", path, {"action": action})
        return found


LONG_AGO = 600  # seconds; long enough for a pull to have brought it


class FillBack(Scenario):
    """After an outage the network is read back, killed at any statement: what is missing is reported and stored."""

    name = "fill the hole of an outage"
    every_statement = True
    holes = True

    def set_up(self, scene: Scene) -> Iterator[Calls]:
        said = self.says(scene, at=int((time.time() - LONG_AGO) * 1000))
        scene.facts["id"] = said["id"]
        yield [("pull", {"channel": scene.channel}), ("lose", {"channel": scene.channel, "external_id": said["id"]})]
        self.stage.sql("UPDATE channels_ingest_channel SET outage_from = now() WHERE id = %s", scene.channel)

    def before(self, scene: Scene) -> None:
        """No other channel that works just now has an outage behind it."""
        others = "UPDATE channels_ingest_channel SET outage_from = NULL WHERE state = 'active' AND id <> %s"
        self.stage.sql(others, scene.channel)

    def strike(self, scene: Scene, trap: Trap) -> Outcome:
        outcome = self.strike_at(("fill_back", {}), trap)
        scene.facts["killed"] = outcome.killed  # a report that died with its writer is not written twice
        return outcome

    def after(self, scene: Scene) -> Calls:
        return [("fill_back", {})]

    def check(self, scene: Scene) -> list[str]:
        still, missing = self.stage.act("hole", channel=scene.channel)
        untold = (
            [] if scene.facts.get("killed") or scene.facts["id"] in missing else ["nobody was told what was missing"]
        )
        return untold + ([f"the hole of channel {scene.channel} was never filled"] if still else [])


HEADER = "tweet_id,author_id,inbound,created_at,text,response_tweet_id,in_response_to_tweet_id"


class Import(Scenario):
    """History comes from a file; the import is killed and run again."""

    name = "import history"

    def set_up(self, scene: Scene) -> Iterator[Calls]:
        first = 900_000_000 + 10 * scene.channel
        handle, person = f"history{scene.channel}", 7_000_000 + scene.channel
        at = "Tue Oct 31 22:1{}:47 +0000 2017"
        rows = [
            f"{first},{person},True,{at.format(0)},@{handle} help me,{first + 1},",
            f"{first + 1},{handle},False,{at.format(1)},@{person} we do,{first + 2},{first}",
            f"{first + 2},{person},True,{at.format(2)},@{handle} thanks,,{first + 1}",
        ]
        path = self.stage.root / f"{handle}.csv"
        path.write_text("\n".join([HEADER, *rows]) + "\n")
        scene.facts |= {"path": str(path), "handle": handle, "first": first}
        yield []

    def strike(self, scene: Scene, trap: Trap) -> Outcome:
        return self.strike_at(("import_file", {"path": scene.facts["path"]}), trap)

    def after(self, scene: Scene) -> Calls:
        return [("import_file", {"path": scene.facts["path"]})]

    def check(self, scene: Scene) -> list[str]:
        first = scene.facts["first"]
        expected = [[str(first), ""], [str(first + 1), str(first)], [str(first + 2), str(first + 1)]]
        found = self.stage.act("imported", handle=scene.facts["handle"])
        return [] if found == expected else [f"{scene.facts['handle']}: {found}"]


ALL: tuple[type[Scenario], ...] = (
    SendReply,
    SendComment,
    SendDirect,
    SendPicture,
    ReadBack,
    ReadBackComment,
    Press,
    Poll,
    PollFacebook,
    Hook,
    Process,
    ProcessFacebook,
    ProcessHeap,
    Delete,
    MergePeople,
    UnmergePeople,
    Renew,
    RenewAccess,
    FillBack,
    Import,
)
