"""The root URLconf."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("accounts/", include("requests_app.account_urls")),
    path("api/v1/", include("requests_app.api.urls")),
    path("", include("requests_app.urls")),
]

handler400 = "requests_app.views.errors.bad_request"
handler403 = "requests_app.views.errors.permission_denied"
handler404 = "requests_app.views.errors.page_not_found"
handler500 = "requests_app.views.errors.server_error"
