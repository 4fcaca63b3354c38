"""What is chosen in the list and confirmed on the page that asks."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.db.models import Q

from requests_app.models import WITH_TAGS, BulkVerb, FalRequest, Membership
from requests_app.models.request import FalRequestQuerySet
from requests_app.rules.tag_names import BadTags, typed_tags
from requests_app.search import Matches, Scope, Search, parse_search

MOST_TICKED = 500
SELECTED, MATCHING = "selected", "matching"
NOTHING = "Nothing is selected: tick requests in the list, or choose all that match."


class TickedField(forms.Field):
    """Ids of requests, from as many values as were sent."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: Any) -> list[UUID]:
        """Return the ids. Raises ValidationError."""
        if len(value or []) > MOST_TICKED:
            raise forms.ValidationError(f"At most {MOST_TICKED:,} requests are ticked at once.")
        try:
            return [UUID(str(one)) for one in value or []]
        except ValueError:
            raise forms.ValidationError("A ticked id is none of a request.") from None


class BulkForm(forms.Form):
    """Which requests, and what is to be done. After `is_valid()`: `rows_of(team)` and `search`."""

    verb = forms.ChoiceField(choices=BulkVerb.choices)
    scope = forms.ChoiceField(choices=[(SELECTED, SELECTED), (MATCHING, MATCHING)])
    id = TickedField(required=False)
    q = forms.CharField(required=False, strip=False)
    # the team's newest request when the page was made: what comes later is not meant
    newest = forms.IntegerField(required=False, min_value=0, max_value=2**63 - 1)

    search: Search

    def clean(self) -> dict[str, Any]:
        """Read the search; a search with errors is not run."""
        values = self.cleaned_data
        self.search = parse_search(values.get("q", ""))
        if values.get("scope") == MATCHING and self.search.problems:
            self.add_error("q", " ".join(self.search.problems))
        if values.get("scope") == SELECTED and not values.get("id") and "id" not in self.errors:
            self.add_error("id", NOTHING)
        return values

    @property
    def is_by_hand(self) -> bool:
        return bool(self.cleaned_data["scope"] == SELECTED)

    def rows_of(self, member: Membership) -> FalRequestQuerySet:
        """Return the requests of the member's team that are meant."""
        team = member.team_id
        if self.is_by_hand:
            return FalRequest.objects.filter(team=team, public_id__in=self.cleaned_data["id"])
        newest = self.cleaned_data["newest"]
        also = Q() if newest is None else Q(pk__lte=newest)
        scope = Scope(team, member.user.get_username(), member.sees)
        return Matches(scope, self.search, also).rows


class ConfirmForm(BulkForm):
    """The same, confirmed."""

    token = forms.CharField(min_length=16, max_length=64)
    tags = forms.CharField(required=False, max_length=1000)
    reason = forms.CharField(required=False, max_length=300)
    at_fal = forms.BooleanField(required=False)
    expected = forms.IntegerField(min_value=0)  # how many the page named
    count = forms.CharField(required=False, max_length=20)  # the same, typed

    tag_names: tuple[str, ...] = ()
    tag_problem = ""  # told on the page that asks, where they are typed

    def clean(self) -> dict[str, Any]:
        """Read the tags of an action that needs them."""
        values = super().clean()
        if values.get("verb") in WITH_TAGS:
            try:
                self.tag_names = typed_tags(values.get("tags", ""))
            except BadTags as error:
                self.tag_problem = str(error)
            if not self.tag_names and not self.tag_problem:
                self.tag_problem = "Type the tags."
        return values

    @property
    def typed(self) -> str:
        """The typed number without what sets thousands apart."""
        return str(self.cleaned_data["count"]).translate(
            {ord(mark): None for mark in ",. '_\u2009"}
        )
