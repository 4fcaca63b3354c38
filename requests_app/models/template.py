"""Messages a team saves for its realtime sessions."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from requests_app.models.team import Team


class MessageTemplate(models.Model):
    """A named message for one endpoint; shared by the whole team."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="message_templates")
    endpoint_id = models.CharField(max_length=300)
    name = models.CharField(max_length=80)
    text = models.TextField()  # JSON as typed
    saved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    saved_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["team", "endpoint_id", "name"], name="one_template_of_a_name"
            )
        ]

    def __str__(self) -> str:
        return self.name
