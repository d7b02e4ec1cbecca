"""Plays with several processes or the network's own weather: a stopped sender, a late accept, copies at once."""

from __future__ import annotations

import base64
import json
import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tests.faults.effects import judge_effects, judge_mails
from tests.faults.judge import Judge, Judgement
from tests.faults.latency import judge_neighbours, stored_after
from tests.faults.mailbox import mails
from tests.faults.scenarios import (
    FillBack,
    Hook,
    ManyPages,
    MergePeople,
    Poll,
    PollFacebook,
    Scenario,
    Scene,
    SendComment,
    SendReply,
    Taken,
)
from tests.faults.stage import LEASE, SETTLE, Stage, await_true
from tests.faults.town import POISON


def held_up(stage: Stage, bug: str = "") -> Judgement:
    """F3: a sender is stopped right before the call for longer than lease and settle time; another one takes over;
    then the first goes on."""
    (scene,) = SendComment(stage).scenes(1)
    stage.release()
    log = stage.root / f"stopped-{next(stage.numbers)}"
    trap = {"FAILPOINT": "stop", "FAILPOINT_AT": "1", "FAILPOINT_NAME": "http.asking", "FAILPOINT_LOG": str(log)}
    pid = stage.begin("send", trap=trap, bug=bug)
    await_true(lambda: log.exists() and _state(pid) == "T", 20, "the stop")
    time.sleep(LEASE + 0.2)
    _settle(stage, scene, bug)
    os.kill(pid, signal.SIGCONT)
    await_true(lambda: _state(pid) in ("Z", ""), 20, "the end of the stopped sender")
    return _judged(stage, scene, bug)


def _state(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    return ""


def late_accept(stage: Stage, bug: str = "") -> Judgement:
    """F8: the connection is cut at once, and the network accepts only when two more rounds of sending have passed."""
    scene, gate = _accepts_late(stage, SendComment)
    for _ in range(2):
        stage.act("send", settle=3600, bug=bug)
    _accept_now(stage, scene, gate)
    stage.sql("UPDATE conversations_delivery SET not_before = now() WHERE channel_id = %s", scene.channel)
    _settle(stage, scene, bug)
    return _judged(stage, scene, bug)


def refused_duplicate(stage: Stage, bug: str = "") -> Judgement:
    """X accepts late, we read back too early and try again, and X refuses a duplicate: proof that it is there."""
    scene, gate = _accepts_late(stage, SendReply)
    stage.act("send", bug="an_unknown_reply_does_not_rest")
    _accept_now(stage, scene, gate)
    _settle(stage, scene, bug)
    return _judged(stage, scene, bug)


def _accepts_late(stage: Stage, make: type[Scenario]) -> tuple[Scene, int]:
    """A reply that the network will accept when the gate, a switch, is opened."""
    (scene,) = make(stage).scenes(1)
    switch = {"network": make.kind, "fault": "late_accept", "methods": ["POST"], "count": 1, "held": True}
    gate = stage.control("POST", "switches", switch | {"account": scene.brand["id"]})["id"]
    stage.release()
    return scene, gate


def _accept_now(stage: Stage, scene: Scene, gate: int) -> None:
    stage.control("DELETE", f"switches/{gate}")
    judge, (one,) = Judge(stage.dsn, stage.sandbox_url), scene.pressed

    def accepted() -> bool:
        judge.read_on()
        return any(one.canary in said.text for said in judge.ledger.things())

    await_true(accepted, 20, "the late accept")


def copies_at_once(stage: Stage, bug: str = "") -> Judgement:
    """F11: five copies of one webhook at the same moment."""
    hook = Hook(stage)
    (scene,) = hook.scenes(1)
    stage.release()
    act, args = hook.requesting(scene, scene.facts["caught"])
    stage.act("at_once", name=act, args=args, copies=5, bug=bug)
    _settle(stage, scene, bug)
    return _judged(stage, scene, bug)


def many_pages(stage: Stage, bug: str = "") -> Judgement:
    """F13: more mentions than one page holds."""
    (scene,) = ManyPages(stage).scenes(1)
    stage.release()
    return _judged(stage, scene, bug)


def pages_shift(stage: Stage, bug: str = "") -> Judgement:
    """F13: the tokens of pages count items, and while one pages a post is deleted: what comes after moves up by one."""
    (scene,) = ManyPages(stage).scenes(1)
    for fault, count in (("offset_tokens", None), ("delete_while_paging", 1)):
        asked = {"network": "x", "fault": fault, "path": "mentions", "account": scene.brand["id"], "count": count}
        stage.control("POST", "switches", asked)
    stage.release()
    found = _judged(stage, scene, bug)
    found.violations.pop("I10", None)  # nobody has been told yet of the post that was deleted
    return found


def pushes_stopped_on_x(stage: Stage, bug: str = "") -> Judgement:
    """F16: the receiver was away for a day; X marked the webhook invalid."""
    return _pushes_stopped(stage, Poll(stage), bug)


def pushes_stopped_on_facebook(stage: Stage, bug: str = "") -> Judgement:
    """F16: the receiver was away for more than an hour; Facebook unsubscribed the Page."""
    return _pushes_stopped(stage, PollFacebook(stage), bug)


def _pushes_stopped(stage: Stage, scenario: Scenario, bug: str) -> Judgement:
    """What was said meanwhile comes by pull, and afterwards the network pushes again without anybody's doing."""
    (scene,) = scenario.scenes(1)
    stage.release()
    given = scene.brand["credentials"]
    stage.catcher.secrets[scene.hook] = given.get("consumer_secret", "")
    stage.act("ask_for_pushes", channel=scene.channel)
    lost = {"app": given.get("consumer_key") or given["app_id"]}
    stage.control("POST", f"{scenario.kind}/webhook/loss", lost)
    silent = scenario.says(scene)["canary"]
    stage.act("pull", channel=scene.channel)
    stage.sql("UPDATE channels_ingest_channel SET pushes_checked_at = NULL WHERE id = %s", scene.channel)
    stage.act("keep_pushes", bug=bug)
    again = scenario.says(scene)["canary"]
    found = _judged(stage, scene, bug)
    if _was_pushed(stage, scene, silent, seconds=0.1):
        found.accuse("F16", "the sandbox pushed what it should not have")
    if not _was_pushed(stage, scene, again, seconds=PUSHED_WITHIN):
        found.accuse("F16", "the network does not push any more")
    return found


def _was_pushed(stage: Stage, scene: Scene, canary: str, *, seconds: float) -> bool:
    try:
        return bool(stage.catcher.wait_for(scene.hook, canary, seconds))
    except TimeoutError:
        return False


def poison_among_webhooks(stage: Stage, bug: str = "") -> Judgement:
    """F18, I12: between honest webhooks lie some that cannot be read; before, the same without."""
    calm, poisoned = (_processed(stage, bug, poison) for poison in ((), UNREADABLE))
    found = Judgement()
    judge_neighbours(found, calm, poisoned)
    return found


def _processed(stage: Stage, bug: str, poison: Sequence[bytes]) -> list[float]:
    """How long each of some honest webhooks waited for its place in the database."""
    hook = Hook(stage)
    (scene,) = hook.scenes(1)
    stage.release()
    marks = [hook.says(scene)["canary"] for _ in range(HONEST)]
    bodies = {caught.digest: caught for mark in marks for caught in [hook.caught(scene, mark)]}
    calls = [hook.requesting(scene, caught) for caught in bodies.values()]
    for number, body in enumerate(poison):
        mark = b" " * next(stage.numbers)  # no two bodies are the same
        sent = base64.b64encode(body + mark).decode()
        calls.insert(3 * number, ("store_poison", {"path": scene.hook, "body": sent}))
    stage.act("each", calls=calls)
    began = time.time()
    stage.try_act("process", bug=bug)
    return stored_after(Judge(stage.dsn, stage.sandbox_url), scene.channel, began)


def merged_with_itself(stage: Stage, bug: str = "") -> Judgement:
    """Nobody may become part of himself."""
    (scene,) = MergePeople(stage).scenes(1)
    stage.release()
    refused = stage.act("merge_with_itself", channel=scene.channel, bug=bug)
    found = _judged(stage, scene, bug)
    if not refused:
        found.accuse("I4", "a contact was merged with itself")
    return found


COPIES = 3
HONEST = 16  # webhooks
UNREADABLE = (POISON[0], POISON[2], POISON[3]) * 2
PUSHED_WITHIN = 3.0  # seconds


def told_once(stage: Stage, bug: str = "") -> Judgement:
    """I9: a channel breaks and a customer writes on a thread that somebody has. Whoever mails it dies right before the
    mail leaves; then three workers are at it at the same moment."""
    (scene,) = Taken(stage).scenes(1)
    stage.release()
    stage.act("pull", channel=scene.channel, bug=bug)
    stage.sql(
        "UPDATE channels_ingest_channel SET state = 'broken', broken_since = now(), last_error = 'The token is dead.'"
        " WHERE id = %s",
        scene.channel,
    )
    stage.sql("UPDATE conversations_notification SET at = at - interval '2 minutes' WHERE mailed_at IS NULL")
    for act, point in (("tell_admins", "notice.mailing"), ("tell_colleagues", "digest.mailing")):
        stage.try_act(act, trap={"FAILPOINT": "kill", "FAILPOINT_AT": "1", "FAILPOINT_NAME": point}, bug=bug)
        stage.act("at_once", name=act, args={}, copies=COPIES, bug=bug)
    found = _judged(stage, scene, bug)
    judge = Judge(stage.dsn, stage.sandbox_url)
    judge.read_on()
    judge_effects(judge, found)
    judge_mails(judge, found, mails(stage.root), scene.channel)
    return found


def a_row_was_lost(stage: Stage, bug: str = "") -> Judgement:
    """Somebody deletes a row by hand: `manage.py reconcile` tells which, and heals it."""
    (scene,) = FillBack(stage).scenes(1)
    stage.release()
    hurt = Judge(stage.dsn, stage.sandbox_url).judge(channels=[scene.channel])
    told = json.loads(stage.run("manage.py", "reconcile", "--channel", str(scene.channel)))
    found = _judged(stage, scene, bug)
    if "I1" not in hurt.broken:
        found.accuse("I1", "the judge did not see that a row was missing")
    if told["missing_ids"] != [scene.facts["id"]] or told["repaired"] != 1:
        found.accuse("I1", f"the product reports {told}")
    return found


def _settle(stage: Stage, scene: Scene, bug: str) -> None:
    judge = Judge(stage.dsn, stage.sandbox_url)
    deadline = time.monotonic() + 20 * (LEASE + SETTLE)
    while not (judge.quiet() and _was_taken_up(judge, scene)) and time.monotonic() < deadline:
        stage.act("work", bug=bug)
        time.sleep(0.1)


def _was_taken_up(judge: Judge, scene: Scene) -> bool:
    ((waiting,),) = judge.rows(
        "SELECT count(*) FROM conversations_delivery WHERE channel_id = %s AND state = 'queued'", scene.channel
    )
    return not waiting


def _judged(stage: Stage, scene: Scene, bug: str) -> Judgement:
    stage.act("pull_all", channels=[scene.channel], bug=bug)
    judge = Judge(stage.dsn, stage.sandbox_url)
    judge.foreign_digests = frozenset(one.digest for one in stage.catcher.caught)
    return judge.judge(scene.pressed, channels=[scene.channel])
