"""The connect forms, built from what each network says it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.choosing import one_of
from accounts.models import Brand
from channels_ingest.networks import networks

if TYPE_CHECKING:
    from accounts.models import User
    from channels_ingest.networks.base import Field, Network

printable = RegexValidator(r"^[\x21-\x7e]+$", _("Keys hold no blanks and no special characters. Copy it again."))


class KeysForm(forms.Form):
    """The keys of one account of a network. Their values are never put back into the page."""

    def __init__(self, *args: Any, network: type[Network], renewing: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.network = network
        for field in network.fields:
            self.fields[field.name] = _key_field(field, keep=renewing and field.app)

    def credentials(self) -> dict[str, str]:
        """The keys as typed; an optional one left out is missing."""
        return {
            field.name: self.cleaned_data[field.name]
            for field in self.network.fields
            if self.cleaned_data.get(field.name)
        }


def _key_field(field: Field, *, keep: bool) -> forms.CharField:
    hint = gettext(field.help)
    if keep:
        may_stay = gettext("Leave it empty to keep the one we have.")
        hint = f"{hint} {may_stay}"
    attributes = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}
    widget = forms.PasswordInput(attrs={**attributes, "autocomplete": "new-password"})
    return forms.CharField(
        label=gettext(field.label),
        help_text=hint,
        required=field.required and not keep,
        max_length=4000,
        validators=[printable],
        widget=widget if field.secret else forms.TextInput(attrs=attributes),
    )


def brand_choice(user: User) -> forms.ModelChoiceField[Brand]:
    return one_of(Brand.objects.visible_to(user), by="slug", route="known-brands", label=_("Brand"), empty_label=None)


class ConnectForm(KeysForm):
    """The keys, and the brand that the account speaks for."""

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields = {"brand": brand_choice(user), **self.fields}


class SandboxForm(forms.Form):
    """An account in the sandbox: no keys, since the sandbox hands them out."""

    network = forms.ChoiceField(label=_("Network"))
    handle = forms.RegexField(
        r"^@?[A-Za-z0-9_]{1,15}$",
        label=_("Handle"),
        required=False,
        error_messages={"invalid": _("At most 15 letters, digits and low lines.")},
        help_text=_("Made from the brand's name when left empty."),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields = {"brand": brand_choice(user), **self.fields}
        self.fields["network"] = forms.ChoiceField(
            label=_("Network"), choices=[(key, found.name) for key, found in networks().items() if found.sandbox]
        )

    def wanted_handle(self) -> str:
        """The handle typed, else one made from the brand's short name."""
        typed = str(self.cleaned_data["handle"]).lstrip("@")
        return typed or self.cleaned_data["brand"].slug.replace("-", "_")[:15]
