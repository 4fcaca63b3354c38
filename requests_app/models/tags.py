"""Tags of a team's requests, and the stars that users give."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from requests_app.models.request import FalRequest
from requests_app.models.team import Team

LONGEST_FALS = 330  # a pair of fal's: a key of 64 characters, an equals sign, a value of 256


class Tag(models.Model):
    """A name that a team puts on requests, or a pair `key=value` that went to fal with some (`is_fals`)."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, db_index=False, related_name="tags")
    name = models.CharField(max_length=LONGEST_FALS)
    key = models.CharField(max_length=LONGEST_FALS)  # what is compared: see rules.tag_names
    is_fals = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["team", "is_fals", "key"], name="tags_of_a_team")]
        constraints = [
            models.UniqueConstraint(fields=["key", "team", "is_fals"], name="one_tag_of_a_name")
        ]

    def __str__(self) -> str:
        return self.name


class Tagging(models.Model):
    """One tag of one request."""

    # the request's, so that the newest ones of a team are read from one index
    team = models.ForeignKey(Team, on_delete=models.CASCADE, db_index=False, related_name="+")
    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, db_index=False, related_name="taggings")
    request = models.ForeignKey(
        FalRequest, on_delete=models.CASCADE, db_index=False, related_name="taggings"
    )

    class Meta:
        indexes = [
            models.Index(fields=["tag", "-request"], name="requests_of_a_tag"),
            models.Index(fields=["team", "-request"], name="tagged_of_a_team"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["request", "tag"], name="one_tagging_of_a_tag")
        ]

    def __str__(self) -> str:
        return f"tag {self.tag_id} of request {self.request_id}"


class Star(models.Model):
    """A request that a user has starred; a star is seen by that user alone."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, db_index=False, related_name="+"
    )
    request = models.ForeignKey(FalRequest, on_delete=models.CASCADE, related_name="stars")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "request"], name="one_star")]

    def __str__(self) -> str:
        return f"star of user {self.user_id} on request {self.request_id}"
