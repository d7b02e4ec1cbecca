"""A warm process that forks a child for each act, so that a real process can be killed a hundred times a minute.

Reads lines of JSON {"act", "args", "trap"} and answers each with {"status", "result", "said"}: `status` is the child's
exit code, negative for the signal that ended it.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import tempfile
import traceback
from typing import Any

import django

OK, RAISED = 0, 3


def main() -> None:
    django.setup()
    from tests.faults import acts, planted

    acts.warm_up()
    gc.collect()
    gc.freeze()  # what is loaded stays shared with the children
    print(json.dumps({"ready": os.getpid()}), flush=True)
    for line in sys.stdin:
        print(json.dumps(perform(json.loads(line), acts, planted)), flush=True)


def perform(asked: dict[str, Any], acts: Any, planted: Any) -> dict[str, Any]:
    """Runs one act in a child and waits for its end, however it ends; for a detached one it tells the child's id."""
    with tempfile.TemporaryFile("w+") as answer:
        child = os.fork()
        if child == 0:
            _live(asked, acts, planted, answer)
        if asked.get("detached"):
            return {"status": 0, "result": child, "said": ""}
        _, status = os.waitpid(child, 0)
        answer.seek(0)
        said = answer.read()
    result = json.loads(said) if said else {}
    return {"status": os.waitstatus_to_exitcode(status), "result": None, "said": "", **result}


def _live(asked: dict[str, Any], acts: Any, planted: Any, answer: Any) -> None:
    """The child's life: never returns."""
    status = RAISED
    try:
        planted.plant(asked.get("bug", ""))
        acts.arm(asked.get("trap") or {})
        json.dump({"result": getattr(acts, asked["act"])(**asked.get("args", {}))}, answer)
        status = OK
    except BaseException:  # noqa: BLE001 (whatever it is, the parent is told)
        json.dump({"said": traceback.format_exc()}, answer)
    finally:
        answer.flush()
        os._exit(status)


if __name__ == "__main__":
    main()
