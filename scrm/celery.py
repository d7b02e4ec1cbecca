"""Background work and its one visible schedule."""

from __future__ import annotations

import os

from celery import Celery

from scrm import acknowledge, ending, schedule

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "scrm.settings")
# The checks would load every page: a third of the time in which a worker comes back, and 18 MB.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

app = Celery("scrm", task_cls="scrm.clock:CarefulTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.beat_scheduler = "scrm.schedule:Scheduler"
schedule.install(app)
acknowledge.install(app)
ending.install()
app.autodiscover_tasks(["channels_ingest", "conversations", "insights"])

# A message says only "look": what is due is found by query, so a lost or a doubled one does no harm.
app.conf.beat_schedule = {
    name: {"task": task, "schedule": every, "options": {"expires": every * 2}}
    for name, task, every in (
        ("pull what is due", "channels_ingest.tasks.pull_due", 5.0),
        ("process stored webhooks", "channels_ingest.tasks.process_events", 5.0),
        ("ask the sandbox for pushes", "channels_ingest.tasks.ask_for_pushes", 3.0),
        ("send what is due", "conversations.tasks.send_due", 5.0),
        ("index new texts", "conversations.tasks.index_texts", 5.0),
        ("understand new texts", "conversations.tasks.understand_texts", 5.0),
        ("tell what happened", "conversations.tasks.tell_due", 10.0),
        ("mail and push what was told", "conversations.tasks.mail_due", 15.0),
        ("go on with bulk steps", "conversations.tasks.go_on_with_bulk", 2.0),
        ("block whom the networks shall block", "conversations.tasks.block_due", 5.0),
        ("wake snoozed threads", "conversations.tasks.wake_threads", 15.0),
        ("renew accesses that end", "channels_ingest.tasks.renew_due", 10.0),
        ("tell admins of outages", "channels_ingest.tasks.look_after_channels", 15.0),
        ("read back after outages and at night", "conversations.tasks.reconcile_due", 60.0),
        ("look for what was deleted", "conversations.tasks.recheck_due", 60.0),
        ("forget old ledger lines", "channels_ingest.tasks.forget_old", 3600.0),
    )
}
