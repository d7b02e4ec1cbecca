"""The people: a list to find them, a record of each, and making two records one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import form_page, requires
from accounts.choosing import MOST_LISTED, is_crowd
from accounts.keyset import page
from accounts.models import Brand
from accounts.roles import Permission
from contacts import actions
from contacts.forms import DetailsForm, MergeForm, NoteForm, TagForm
from contacts.merge import MergeRefused, merge_contacts, unmerge
from contacts.models import Acquaintance, Contact, ContactNote, IdentityLink, Merge

if TYPE_CHECKING:
    from django.http import HttpResponse

    from accounts.access import SignedIn
    from accounts.models import User

PEOPLE_PER_PAGE = 50
NOTES_SHOWN = 50
MERGES_SHOWN = 50
MOST_CANDIDATES = 20

OPEN_LINKS = Prefetch(
    "contact__links",
    IdentityLink.objects.filter(ended_at=None).select_related("identity").order_by("linked_at", "id"),
    to_attr="open_links",
)


def _words(request: SignedIn) -> str:
    return request.GET.get("q", "").replace("\0", "").strip()[:100]


# -- finding ----------------------------------------------------------------------------------------------------------


@requires(Permission.READ)
@require_safe
def contacts(request: SignedIn) -> HttpResponse:
    """Whoever spoke with the user's brands, the latest first."""
    brands = Brand.objects.visible_to(request.user)
    chosen = request.GET.get("brand", "")
    brand = get_object_or_404(brands, slug=chosen) if chosen else None
    rows = acquaintances(request.user, [brand.pk] if brand else list(brands.values_list("pk", flat=True)))
    if words := _words(request):
        rows = rows.filter(contact__in=Contact.objects.named_like(words))
    shown = page(
        rows.select_related("contact").prefetch_related(OPEN_LINKS, "contact__tags"),
        by=("-last_at", "-contact_id"),
        after=request.GET.get("after", ""),
        size=PEOPLE_PER_PAGE,
    )
    context = {"section": "contacts", "page": shown, "words": words, "brand": brand}
    context |= {"crowd": is_crowd(brands), "brands": brands[:MOST_LISTED]}
    return render(request, "contacts/contacts.html", context)


def acquaintances(user: User, brands: list[int]) -> QuerySet[Acquaintance]:
    """One row for each contact that spoke with these brands: the latest."""
    rows = Acquaintance.objects.filter(brand__in=brands, contact__merged_into=None)
    if len(brands) < 2:
        return rows
    later = Acquaintance.objects.filter(contact=OuterRef("contact"), brand__in=brands).filter(
        Q(last_at__gt=OuterRef("last_at")) | Q(last_at=OuterRef("last_at"), pk__gt=OuterRef("pk"))
    )
    return rows.filter(~Exists(later))


# -- the record -------------------------------------------------------------------------------------------------------


def _contact(user: User, pk: int) -> Contact:
    return get_object_or_404(Contact.objects.visible_to(user), pk=pk)


@requires(Permission.READ)
@require_safe
def contact(request: SignedIn, pk: int) -> HttpResponse:
    """The whole record; the old address of a merged contact leads to the one it became."""
    survivor = survivor_of(pk)
    if survivor != pk:
        _contact(request.user, survivor)
        return redirect("contact", survivor)
    return _show(request, _contact(request.user, pk))


def survivor_of(pk: int) -> int:
    """The contact that this one became by merges; itself where it was not merged."""
    while into := Contact.objects.filter(pk=pk).values_list("merged_into", flat=True).first():
        pk = into
    return pk


def _show(
    request: SignedIn, contact: Contact, *, note_form: NoteForm | None = None, tag_form: TagForm | None = None
) -> HttpResponse:
    user = request.user
    notes = ContactNote.objects.visible_to(user).filter(contact=contact).select_related("by", "brand")
    links = contact.links.filter(ended_at=None).select_related("identity", "linked_by").order_by("linked_at", "id")
    merges = Merge.objects.filter(kept=contact, undone_at=None).select_related("dropped", "by").order_by("-at", "-pk")
    return render(
        request,
        "contacts/contact.html",
        {
            "section": "contacts",
            "contact": contact,
            "links": links,
            "page": page(notes, by=("-at", "-id"), after=request.GET.get("after", ""), size=NOTES_SHOWN),
            "merges": merges[:MERGES_SHOWN],
            "acquaintances": contact.acquaintances.filter(brand__in=Brand.objects.visible_to(user)).select_related(
                "brand"
            ),
            "note_form": note_form or NoteForm(contact=contact, user=user),
            "tag_form": tag_form or TagForm(),
        },
    )


@requires(Permission.REPLY)
@form_page
def details(request: SignedIn, pk: int) -> HttpResponse:
    contact = _contact(request.user, pk)
    form = DetailsForm(request.POST or None, instance=contact)
    if request.method == "POST" and form.is_valid():
        actions.edit_details(contact=contact, by=request.user, details=form.cleaned_data)
        messages.success(request, _("The details are saved."))
        return redirect("contact", pk)
    return render(request, "contacts/details.html", {"section": "contacts", "contact": contact, "form": form})


@requires(Permission.REPLY)
@require_POST
def tags(request: SignedIn, pk: int) -> HttpResponse:
    contact = _contact(request.user, pk)
    form = TagForm(request.POST)
    if not form.is_valid():
        return _show(request, contact, tag_form=form)
    actions.add_tag(contact=contact, by=request.user, name=form.cleaned_data["name"])
    return redirect("contact", pk)


@requires(Permission.REPLY)
@require_POST
def tag_remove(request: SignedIn, pk: int, tag_pk: int) -> HttpResponse:
    contact = _contact(request.user, pk)
    actions.remove_tag(contact=contact, by=request.user, tag=get_object_or_404(contact.tags, pk=tag_pk))
    return redirect("contact", pk)


@requires(Permission.REPLY)
@require_POST
def notes(request: SignedIn, pk: int) -> HttpResponse:
    contact = _contact(request.user, pk)
    form = NoteForm(request.POST, contact=contact, user=request.user)
    if not form.is_valid():
        return _show(request, contact, note_form=form)
    actions.write_note(
        contact=contact, by=request.user, brand=form.cleaned_data["brand"], text=form.cleaned_data["text"]
    )
    return redirect("contact", pk)


@requires(Permission.REPLY)
@require_POST
def note_delete(request: SignedIn, pk: int, note_pk: int) -> HttpResponse:
    """Whoever wrote a note may take it away."""
    contact = _contact(request.user, pk)
    actions.delete_note(note=get_object_or_404(contact.notes, pk=note_pk, by=request.user), by=request.user)
    return redirect("contact", pk)


# -- two records of one person ----------------------------------------------------------------------------------------


@requires(Permission.MERGE)
@require_safe
def merge_search(request: SignedIn, pk: int) -> HttpResponse:
    """Looks for the other record."""
    contact = _contact(request.user, pk)
    words = _words(request)
    found = Contact.objects.visible_to(request.user).filter(pk__in=Contact.objects.named_like(words)).exclude(pk=pk)
    links = IdentityLink.objects.filter(ended_at=None).select_related("identity")
    candidates = found.order_by("name", "pk").prefetch_related(Prefetch("links", links, to_attr="open_links"))
    context = {"section": "contacts", "contact": contact, "words": words}
    context["candidates"] = candidates[:MOST_CANDIDATES] if words else None
    return render(request, "contacts/merge_search.html", context)


@requires(Permission.MERGE)
@form_page
def merge(request: SignedIn, pk: int, other_pk: int) -> HttpResponse:
    """Shows both, asks for the reason, and makes them one."""
    keep, drop = _contact(request.user, pk), _contact(request.user, other_pk)
    form = MergeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            merge_contacts(keep=keep, drop=drop, by=request.user, note=form.cleaned_data["note"])
        except MergeRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("Both are one contact now. You can undo it on this page."))
            return redirect("contact", pk)
    links = IdentityLink.objects.filter(ended_at=None).select_related("identity")
    both = [(one, links.filter(contact=one)) for one in (keep, drop)]
    context = {"section": "contacts", "contact": keep, "other": drop, "both": both, "form": form}
    return render(request, "contacts/merge.html", context)


@requires(Permission.MERGE)
@require_POST
def merge_undo(request: SignedIn, pk: int, merge_pk: int) -> HttpResponse:
    contact = _contact(request.user, pk)
    try:
        undone = unmerge(merge=get_object_or_404(Merge, pk=merge_pk, kept=contact), by=request.user)
    except MergeRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("%(name)s is a contact of its own again.") % {"name": undone.dropped})
    return redirect("contact", pk)
