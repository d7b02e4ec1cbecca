"""One form per intention."""

from __future__ import annotations

from typing import Any, ClassVar
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm, PasswordResetForm
from django.db.models import Q, QuerySet
from django.utils.text import slugify
from django.utils.translation import get_language_info
from django.utils.translation import gettext_lazy as _

from accounts.choosing import Crowd, SomeOf
from accounts.models import ApiKey, Brand, Team, User
from accounts.roles import Role


class SignInForm(AuthenticationForm):
    """The throttle counts per address, so its spelling must not make a new one."""

    def clean_username(self) -> str:
        return str(self.cleaned_data["username"]).strip().lower()


class ResetForm(PasswordResetForm):
    """Also serves as the invitation of a new person."""


def time_zones() -> list[tuple[str, str]]:
    """All regions with a city, UTC first."""
    cities = sorted(name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/")))
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in cities)]


def page_languages() -> list[tuple[str, str]]:
    """Every language by its own name: who looks for one may not read the one that is on."""
    own = [(code, get_language_info(code)["name_local"]) for code, _name in settings.LANGUAGES]
    return [("", _("As the browser asks")), *own]


class LanguageSelect(forms.Select):
    """Says for each language that its name stands in it (WCAG 3.1.2)."""

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(name, value, *args, **kwargs)
        return {**option, "attrs": {**option["attrs"], "lang": value}} if value else option


class ProfileForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=120)
    time_zone = forms.ChoiceField(
        label=_("Time zone"), choices=time_zones, help_text=_("All times are shown in this zone.")
    )
    language = forms.ChoiceField(
        label=_("Language of the pages"), choices=page_languages, required=False, widget=LanguageSelect
    )


class ApiKeyForm(forms.ModelForm[ApiKey]):
    class Meta:
        model = ApiKey
        fields = ("name",)
        help_texts: ClassVar[dict[str, Any]] = {"name": _("A word that tells you later which program uses it.")}


def team_label(team: Team) -> str:
    """The team's name with its brand's: the names of teams are unique within a brand alone."""
    return f"{team.brand.name}: {team.name}"


class TeamChoice(SomeOf[Team]):
    def label_from_instance(self, obj: Any) -> str:
        return team_label(obj)


def person_label(person: User) -> str:
    return f"{person.name} ({person.email})"


def _brands_named(rows: QuerySet[Brand], text: str) -> QuerySet[Brand]:
    return rows.filter(slug=text.lower())


def _teams_named(rows: QuerySet[Team], text: str) -> QuerySet[Team]:
    """Of "Brand: Team": a brand's name may hold colons, so the last one parts them where the first does not."""
    parts = [(text[:at].strip(), text[at + 1 :].strip()) for at, sign in enumerate(text) if sign == ":"]
    meant = Q(pk__in=())
    for brand, team in parts:
        meant |= Q(brand__name__iexact=brand, name__iexact=team)
    return rows.filter(meant)


def _people_named(rows: QuerySet[User], text: str) -> QuerySet[User]:
    return rows.filter(email__iexact=text)


class NewPersonForm(forms.Form):
    email = forms.EmailField(label=_("E-mail address"), max_length=254)
    name = forms.CharField(label=_("Name"), max_length=120)
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices, initial=Role.AGENT)
    brands = SomeOf(
        label=_("Brands"), queryset=Brand.objects.none(), required=False, help_text=_("Admins see every brand.")
    )
    teams = TeamChoice(label=_("Teams"), queryset=Team.objects.none(), required=False)
    needs_approval = forms.BooleanField(
        label=_("Public answers wait for approval"),
        required=False,
        help_text=_("A manager or an admin sees each of them before it leaves."),
    )

    def __init__(self, *args: Any, person: User | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person = person
        teams = Team.objects.select_related("brand").order_by("brand__name", "name", "id")
        mine = (person.brands.all(), teams.filter(members=person)) if person else (Brand.objects.none(), teams.none())
        _some_of(self, "brands").offer(Brand.objects.all(), Crowd(mine[0], str, "known-brands", _brands_named))
        _some_of(self, "teams").offer(teams, Crowd(mine[1], team_label, "known-teams", _teams_named))

    def clean_email(self) -> str:
        email = User.objects.normalize_email(self.cleaned_data["email"])
        others = User.objects.filter(email__iexact=email)
        if self.person is not None:
            others = others.exclude(pk=self.person.pk)
        if others.exists():
            raise forms.ValidationError(_("Somebody has this address already."))
        return email

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        allowed = {brand.pk for brand in cleaned.get("brands", ())}
        outside = [team for team in cleaned.get("teams", ()) if team.brand_id not in allowed]
        if outside and cleaned.get("role") != Role.ADMIN:
            self.add_error("teams", _("A member of a team must serve the team's brand."))
        return cleaned


class PersonForm(NewPersonForm):
    is_active = forms.BooleanField(
        label=_("May sign in"), required=False, help_text=_("Without it their sessions and API keys end at once.")
    )


class BrandForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=120)
    slug = forms.SlugField(
        label=_("Short name"),
        max_length=50,
        required=False,
        help_text=_("Letters, digits and hyphens; made from the name when left empty."),
    )
    undo_seconds = forms.IntegerField(
        label=_("Undo window"),
        min_value=0,
        max_value=600,
        initial=10,
        help_text=_("Seconds before a public reply leaves, in which it can be taken back. 0 sends at once."),
    )
    reach_cap = forms.IntegerField(
        label=_("Cap of reach"),
        min_value=1,
        max_value=1_000_000_000,
        initial=100_000,
        required=False,
        help_text=_("Followers beyond this number bring nobody further up in the list; 1 makes everybody equal."),
    )

    def __init__(self, *args: Any, brand: Brand, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.brand = brand

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        slug = cleaned.get("slug") or slugify(cleaned.get("name", ""))[:50]
        if "slug" in self.errors:
            return cleaned
        if not slug:
            self.add_error("slug", _("Please choose a short name."))
        elif Brand.objects.filter(slug=slug).exclude(pk=self.brand.pk).exists():
            self.add_error("slug", _("Another brand has this short name."))
        return {**cleaned, "slug": slug}


class TeamForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=80)
    members = SomeOf(label=_("Members"), queryset=User.objects.none(), required=False)

    def __init__(self, *args: Any, team: Team, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.team = team
        members = team.members.all() if team.pk else User.objects.none()
        crowd = Crowd(members, person_label, "known-people", _people_named, query=f"?of={team.brand_id}")
        _some_of(self, "members").offer(User.objects.filter(is_active=True, brands=team.brand_id), crowd)

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        if Team.objects.filter(brand=self.team.brand_id, name__iexact=name).exclude(pk=self.team.pk).exists():
            raise forms.ValidationError(_("The brand has a team of this name already."))
        return name


def _some_of(form: forms.Form, name: str) -> SomeOf[Any]:
    field = form.fields[name]
    if not isinstance(field, SomeOf):
        raise TypeError(f"{name} is no field for some of many.")
    return field
