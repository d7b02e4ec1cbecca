"""One form per intention."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from accounts.models import Brand
from contacts.models import Contact, ContactNote

if TYPE_CHECKING:
    from accounts.models import User


class DetailsForm(forms.ModelForm[Contact]):
    phone = forms.CharField(
        label=_("Phone"),
        required=False,
        max_length=40,
        validators=[
            RegexValidator(r"^[0-9+()/. \-#x]*$", _("A phone number has digits, blanks and + ( ) / . - only."))
        ],
    )

    class Meta:
        model = Contact
        fields = ("name", "email", "phone", "organisation", "location", "language")
        help_texts: ClassVar[dict[str, Any]] = {"language": _("As a code: en, de, pt-BR.")}


class TagForm(forms.Form):
    name = forms.CharField(label=_("Tag"), max_length=50)

    def clean_name(self) -> str:
        return " ".join(str(self.cleaned_data["name"]).split())


class BrandChoice(forms.ModelChoiceField[Brand]):
    pass


class NoteForm(forms.ModelForm[ContactNote]):
    """A note is for the people of one of the brands that the contact spoke with."""

    class Meta:
        model = ContactNote
        fields = ("text",)
        widgets: ClassVar[dict[str, Any]] = {"text": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args: Any, contact: Contact, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        brands = Brand.objects.visible_to(user).filter(pk__in=contact.acquaintances.values("brand"))
        one = brands.count() == 1
        self.fields["brand"] = BrandChoice(
            label=_("For the people of"),
            queryset=brands,
            empty_label=None,
            initial=brands.first(),
            widget=forms.HiddenInput if one else forms.Select,
        )


class MergeForm(forms.Form):
    note = forms.CharField(
        label=_("How do you know?"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("What shows that both are one person. It is kept with the merge."),
    )
