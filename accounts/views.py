"""Signing in and out, one's own profile and keys, and the people admin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import views as auth
from django.core.mail import BadHeaderError
from django.db import transaction
from django.db.models import Count, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse_lazy
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from accounts import actions
from accounts.access import form_page, public, requires, signed_in
from accounts.choosing import MOST_PROPOSED, words_typed
from accounts.forms import (
    ApiKeyForm,
    BrandForm,
    NewPersonForm,
    PersonForm,
    ProfileForm,
    ResetForm,
    SignInForm,
    TeamForm,
    team_label,
)
from accounts.ids import id_of
from accounts.keyset import page
from accounts.models import AuditEntry, Brand, Team, User
from accounts.roles import MATRIX, Permission, Role

if TYPE_CHECKING:
    from django.contrib.auth.forms import SetPasswordForm
    from django.http import HttpRequest, HttpResponse

    from accounts.access import SignedIn

PEOPLE_PER_PAGE = 50
ENTRIES_PER_PAGE = 50
ROWS_PER_PAGE = 50
MOST_CHIPS = 6  # beside one row
MOST_OF_ONES_OWN = 50  # brands and teams on the profile


def _account(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    return render(request, template, {"section": "account", **context})


def _settings(request: HttpRequest, template: str, area: str, context: dict[str, Any]) -> HttpResponse:
    return render(request, template, {"section": "people", "area": area, **context})


# -- signing in and out -----------------------------------------------------------------------------------------------


class PasswordReset(auth.PasswordResetView):
    template_name = "registration/password_reset.html"
    success_url = reverse_lazy("password-reset-sent")
    form_class = ResetForm

    def form_valid(self, form: ResetForm) -> HttpResponse:  # type: ignore[override]
        send_password_mail(form)
        return redirect(str(self.success_url))


def send_password_mail(form: ResetForm, *, invitation: bool = False) -> None:
    """To whoever of our active users has the address of the (valid) form; silent for the others."""
    kind = "invitation" if invitation else "password_reset"
    link = urlsplit(settings.PUBLIC_URL)
    form.save(
        domain_override=link.netloc,
        use_https=link.scheme == "https",
        email_template_name=f"registration/{kind}_mail.txt",
        subject_template_name=f"registration/{kind}_subject.txt",
    )


class PasswordSet(auth.PasswordResetConfirmView):
    template_name = "registration/password_set.html"
    success_url = reverse_lazy("sign-in")

    def form_valid(self, form: SetPasswordForm[Any]) -> HttpResponse:
        with transaction.atomic():
            answer = super().form_valid(form)
            actions.note_password_change(user=form.user)
        messages.success(self.request, _("The password is set. Sign in with it."))
        return answer


class PasswordChange(auth.PasswordChangeView):
    template_name = "registration/password_change.html"
    success_url = reverse_lazy("profile")

    def form_valid(self, form: Any) -> HttpResponse:
        with transaction.atomic():
            answer = super().form_valid(form)
            actions.note_password_change(user=form.user)
        messages.success(self.request, _("The password is changed. Your other sessions are signed out."))
        return answer


sign_in = public(
    form_page(
        auth.LoginView.as_view(
            template_name="registration/sign_in.html", authentication_form=SignInForm, redirect_authenticated_user=True
        )
    )
)
sign_out = signed_in(auth.LogoutView.as_view())
password_reset = public(form_page(PasswordReset.as_view()))
password_reset_sent = public(auth.PasswordResetDoneView.as_view(template_name="registration/password_reset_sent.html"))
password_set = public(form_page(PasswordSet.as_view()))
password_change = signed_in(form_page(PasswordChange.as_view(extra_context={"section": "account"})))

# -- oneself ----------------------------------------------------------------------------------------------------------


@signed_in
@form_page
def profile(request: SignedIn) -> HttpResponse:
    user = request.user
    now = {"name": user.name, "time_zone": user.time_zone, "language": user.language}
    form = ProfileForm(request.POST or None, initial=now)
    if request.method == "POST" and form.is_valid():
        actions.change_own_profile(user=user, **form.cleaned_data)
        messages.success(request, _("Your profile is saved."))
        return redirect("profile")
    own = {"brands": user.brands.all()[:MOST_OF_ONES_OWN], "teams": user.teams.all()[:MOST_OF_ONES_OWN]}
    return _account(request, "accounts/profile.html", {"form": form, **own})


@signed_in
@form_page
@never_cache
@sensitive_post_parameters()
def api_keys(request: SignedIn) -> HttpResponse:
    """The user's own keys. A new key's token stands on the answer to its making, and nowhere else."""
    form = ApiKeyForm(request.POST or None)
    token = ""
    if request.method == "POST" and form.is_valid():
        _key, token = actions.issue_key(user=request.user, name=form.cleaned_data["name"])
        form = ApiKeyForm()
    keys = request.user.api_keys.filter(revoked_at=None)
    shown = page(keys, by=("-id",), after=request.GET.get("after", ""), size=ROWS_PER_PAGE)
    return _account(request, "accounts/api_keys.html", {"form": form, "page": shown, "token": token})


@signed_in
@require_POST
def revoke_api_key(request: SignedIn, pk: int) -> HttpResponse:
    key = get_object_or_404(request.user.api_keys, pk=pk)
    actions.revoke_key(key=key, by=request.user)
    messages.success(request, _("The key “%(name)s” is revoked.") % {"name": key.name})
    return redirect("api-keys")


@signed_in
@require_safe
def roles(request: SignedIn) -> HttpResponse:
    """The one matrix of what each role may do."""
    rows = [(permission.label, [permission in MATRIX[role] for role in Role]) for permission in Permission]
    return _account(request, "accounts/roles.html", {"roles": list(Role), "rows": rows})


# -- people -----------------------------------------------------------------------------------------------------------


@requires(Permission.PEOPLE)
@require_safe
def people(request: SignedIn) -> HttpResponse:
    words = words_typed(request)
    found = _called(
        User.objects.prefetch_related(Prefetch("brands", Brand.objects.all()[:MOST_CHIPS], to_attr="some_brands")),
        words,
    )
    shown = page(found, by=("name", "id"), after=request.GET.get("after", ""), size=PEOPLE_PER_PAGE)
    return _settings(request, "accounts/people.html", "people", {"page": shown, "words": words})


def _called(people: QuerySet[User], words: str) -> QuerySet[User]:
    """Those whose name or address holds the words."""
    return people.filter(Q(name__icontains=words) | Q(email__icontains=words)) if words else people


@requires(Permission.PEOPLE)
@form_page
def person_new(request: SignedIn) -> HttpResponse:
    form = NewPersonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        person = actions.add_person(by=request.user, **form.cleaned_data)
        invite(request, person)
        return redirect("people")
    return _settings(request, "accounts/person.html", "people", {"form": form})


@requires(Permission.PEOPLE)
@form_page
def person(request: SignedIn, pk: int) -> HttpResponse:
    person = get_object_or_404(User, pk=pk)
    initial = {
        **{field: getattr(person, field) for field in ("email", "name", "role", "is_active", "needs_approval")},
        "brands": person.brands.all(),
        "teams": person.teams.all(),
    }
    form = PersonForm(request.POST or None, initial=initial, person=person)
    if request.method == "POST" and form.is_valid():
        try:
            actions.change_person(person=person, by=request.user, **form.cleaned_data)
        except actions.LastAdmin:
            form.add_error("role", _("This is the last admin: name another one first."))
        else:
            messages.success(request, _("%(name)s is saved.") % {"name": form.cleaned_data["name"]})
            return redirect("people")
    return _settings(request, "accounts/person.html", "people", {"form": form, "person": person})


@requires(Permission.PEOPLE)
@require_POST
def person_invite(request: SignedIn, pk: int) -> HttpResponse:
    """Sends the mail again by which a person sets a password."""
    invite(request, get_object_or_404(User, pk=pk, is_active=True))
    return redirect("person", pk)


def invite(request: HttpRequest, person: User) -> None:
    """Mails the link to set a password; when the mail server refuses, says so and what to do."""
    form = ResetForm({"email": person.email})
    if not form.is_valid():
        messages.error(request, _("%(email)s takes no mail from us.") % {"email": person.email})
        return
    try:
        send_password_mail(form, invitation=True)
    except (OSError, BadHeaderError):
        messages.error(request, _("The invitation could not be sent. Check the mail settings, then send it again."))
    else:
        messages.success(request, _("An invitation is on its way to %(email)s.") % {"email": person.email})


# -- brands and teams -------------------------------------------------------------------------------------------------


@requires(Permission.PEOPLE)
@require_safe
def brands(request: SignedIn) -> HttpResponse:
    words = words_typed(request)
    found = Brand.objects.visible_to(request.user).filter(name__icontains=words)
    rows = found.annotate(
        people=_number_of(User.brands.through, "brand"), number_of_teams=_number_of(Team, "brand")
    ).prefetch_related(Prefetch("teams", Team.objects.all()[:MOST_CHIPS], to_attr="some_teams"))
    shown = page(rows, by=("name", "id"), after=request.GET.get("after", ""), size=ROWS_PER_PAGE)
    return _settings(request, "accounts/brands.html", "brands", {"page": shown, "words": words})


def _number_of(model: Any, key: str) -> Coalesce:
    """How many rows of the model belong to the outer row by this key."""
    mine = model.objects.filter(**{key: OuterRef("pk")}).order_by().values(key)
    return Coalesce(Subquery(mine.annotate(number=Count("pk")).values("number")), 0)


@requires(Permission.PEOPLE)
@form_page
def brand(request: SignedIn, pk: int | None = None) -> HttpResponse:
    """Makes a brand or changes one, with its teams below."""
    brand = get_object_or_404(Brand.objects.visible_to(request.user), pk=pk) if pk else Brand()
    initial = {"name": brand.name, "slug": brand.slug, "undo_seconds": brand.undo_seconds, "reach_cap": brand.reach_cap}
    form = BrandForm(request.POST or None, initial=initial, brand=brand)
    if request.method == "POST" and form.is_valid():
        brand = actions.save_brand(brand=brand, by=request.user, **form.cleaned_data)
        messages.success(request, _("%(name)s is saved.") % {"name": brand.name})
        return redirect("brand", brand.pk)
    words = words_typed(request)
    teams = Team.objects.filter(brand=brand.pk, name__icontains=words)
    shown = page(
        teams.annotate(people=_number_of(Team.members.through, "team")),
        by=("name", "id"),
        after=request.GET.get("after", ""),
        size=ROWS_PER_PAGE,
    )
    context = {"form": form, "brand": brand, "page": shown, "words": words}
    return _settings(request, "accounts/brand.html", "brands", context)


@requires(Permission.PEOPLE)
@form_page
def team(request: SignedIn, brand_pk: int, pk: int | None = None) -> HttpResponse:
    """Makes a team of a brand or changes one."""
    brand = get_object_or_404(Brand.objects.visible_to(request.user), pk=brand_pk)
    team = get_object_or_404(brand.teams, pk=pk) if pk else Team(brand=brand)
    initial = {"name": team.name, "members": team.members.all() if team.pk else ()}
    form = TeamForm(request.POST or None, initial=initial, team=team)
    if request.method == "POST" and form.is_valid():
        actions.save_team(team=team, by=request.user, **form.cleaned_data)
        messages.success(request, _("%(name)s is saved.") % {"name": team.name})
        return redirect("brand", brand.pk)
    return _settings(request, "accounts/team.html", "brands", {"form": form, "team": team, "brand": brand})


@requires(Permission.PEOPLE)
@require_POST
def team_remove(request: SignedIn, brand_pk: int, pk: int) -> HttpResponse:
    team = get_object_or_404(Team, pk=pk, brand__in=Brand.objects.visible_to(request.user), brand_id=brand_pk)
    actions.remove_team(team=team, by=request.user)
    messages.success(request, _("The team “%(name)s” is removed.") % {"name": team.name})
    return redirect("brand", brand_pk)


# -- proposals of search fields ---------------------------------------------------------------------------------------


def _options(request: HttpRequest, options: list[tuple[str, str]]) -> HttpResponse:
    return render(request, "forms/_options.html", {"options": options})


@requires(Permission.READ)
@require_safe
def known_brands(request: SignedIn) -> HttpResponse:
    """The brands one sees whose names hold the words."""
    found = Brand.objects.visible_to(request.user).filter(name__icontains=words_typed(request))[:MOST_PROPOSED]
    return _options(request, [(one.slug, one.name) for one in found])


@requires(Permission.PEOPLE)
@require_safe
def known_teams(request: SignedIn) -> HttpResponse:
    """The teams of all brands whose names, or whose brand's, hold the words."""
    words = words_typed(request)
    found = Team.objects.filter(Q(name__icontains=words) | Q(brand__name__icontains=words))
    shown = found.select_related("brand").order_by("brand__name", "name", "id")[:MOST_PROPOSED]
    return _options(request, [(team_label(one), "") for one in shown])


@requires(Permission.PEOPLE)
@require_safe
def known_people(request: SignedIn) -> HttpResponse:
    """Active people whose name or address holds the words; of the brand `of` alone."""
    found = _called(User.objects.filter(is_active=True), words_typed(request))
    brand = id_of(request.GET.get("of"))
    if brand is not None:
        found = found.filter(brands=brand)
    return _options(request, [(one.email, one.name) for one in found[:MOST_PROPOSED]])


# -- what was done ----------------------------------------------------------------------------------------------------


@requires(Permission.PEOPLE)
@require_safe
def audit_log(request: SignedIn) -> HttpResponse:
    entries = AuditEntry.objects.select_related("by", "brand")
    who = request.GET.get("who", "")
    by = id_of(who)
    if by is not None:
        entries = entries.filter(by=by)
    shown = page(entries, by=("-id",), after=request.GET.get("after", ""), size=ENTRIES_PER_PAGE)
    return _settings(request, "accounts/audit_log.html", "audit", {"page": shown, "who": who})
