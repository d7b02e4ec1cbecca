"""`{% load fragments %}`: what `conversations.fragments` draws, as tags of Django's templates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import template
from django.template import Engine

from conversations.fragments import draw

if TYPE_CHECKING:
    from django.template.context import RequestContext

    from conversations.tree import Said

register = template.Library()


@register.simple_tag(takes_context=True)
def rows(context: RequestContext) -> str:
    """The rows of `page`, one after another."""
    thread = context.get("thread")
    return draw(
        "conversations/_rows.jinja",
        "rows",
        rows=context["page"].rows,
        wanted=context["wanted"],
        shown=thread.pk if thread else None,
        user=context["request"].user,
        may=context["may"],
    )


@register.simple_tag(takes_context=True)
def said(context: RequestContext, one: Said) -> str:
    """One item of the thread."""
    delivery = one.delivery
    approval = getattr(delivery, "approval", None)
    return draw(
        "conversations/_said.jinja",
        "said",
        one=one,
        thread=context["thread"],
        user=context["request"].user,
        may=context["may"],
        delivery=_delivery(context, one) if delivery else "",
        refused=approval.reason if approval and approval.verdict == "refused" else "",
    )


def _delivery(context: RequestContext, one: Said) -> str:
    """What became of our answer, which has forms: drawn by Django."""
    part = Engine.get_default().get_template("conversations/_delivery.html")
    with context.push(d=one.delivery, i=one.item):
        return part.render(context)
