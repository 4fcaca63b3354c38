"""Modules without a test module of their path, and the tests that judge them instead.

A name that ends in "/" stands for all modules of a folder.
"""

from __future__ import annotations

from collections.abc import Iterator

JUDGED_BY = {
    # Wiring: a running process is the test.
    "dashboard/embedded.py": "tests/process/test_kill.py",
    "dashboard/page_policy.py": "tests/dashboard/test_inert.py",
    "dashboard/module_imports.py": "tests/templatetags/test_modules.py",
    "requests_app/tasks.py": "tests/dashboard/test_celery.py",
    # What the API takes and gives: by calls of the API.
    "requests_app/api/batch_schemas.py": "tests/api/test_batches.py",
    "requests_app/api/bulk_schemas.py": "tests/api/test_bulk.py",
    "requests_app/api/errors.py": "tests/api/test_body.py",
    "requests_app/api/idempotency.py": "tests/api/test_requests.py",
    # By the page.
    "requests_app/gallery/tiles.py": "tests/views/test_gallery.py",
    "requests_app/views/media_zip.py": "tests/gallery/test_media_zip.py",
    # What programs install: by its own calls, at a scripted peer.
    "requests_app/client/": "tests/client/test_package.py",
    # Forms: by the pages they are on.
    "requests_app/forms/account.py": "tests/accounts/test_adapter.py",
    "requests_app/accounts/finding.py": "tests/views/test_account_email.py",
    "requests_app/forms/factors.py": "tests/accounts/test_factors.py",
    "requests_app/accounts/reset_links.py": "tests/views/test_password_reset.py",
    "requests_app/accounts/recent.py": "tests/views/test_recent_guard.py",
    "requests_app/accounts/trail.py": "tests/audit/test_package.py",
    "requests_app/upkeep/policy_reports.py": "tests/views/test_policy_reports.py",
    "requests_app/views/reset_links.py": "tests/teams/test_reset_links.py",
    "requests_app/audit/": "tests/audit/test_package.py",
    "requests_app/forms/audit.py": "tests/views/test_audit.py",
    "requests_app/models/audit.py": "tests/audit/test_sealing.py",
    "requests_app/views/origin.py": "tests/audit/test_package.py",
    "requests_app/forms/batch.py": "tests/views/test_batches.py",
    "requests_app/forms/bulk.py": "tests/views/test_bulk.py",
    "requests_app/forms/export.py": "tests/views/test_exports.py",
    "requests_app/templatetags/exports.py": "tests/views/test_exports.py",
    "requests_app/models/export.py": "tests/worker/test_exporter.py",
    "requests_app/export/background.py": "tests/worker/test_exporter.py",
    "requests_app/export/jobs.py": "tests/worker/test_exporter.py",
    "requests_app/export/job_files.py": "tests/worker/test_exporter.py",
    "requests_app/forms/endpoints.py": "tests/views/test_endpoints.py",
    "requests_app/forms/copies.py": "tests/views/test_copy_rules.py",
    "requests_app/forms/members.py": "tests/views/test_settings.py",
    "requests_app/forms/note.py": "tests/views/test_notes.py",
    "requests_app/forms/paste/": "tests/forms/paste/test_package.py",
    "requests_app/forms/preset.py": "tests/views/test_presets.py",
    "requests_app/forms/realtime.py": "tests/views/test_realtime.py",
    "requests_app/forms/saved_view.py": "tests/views/test_saved_views.py",
    "requests_app/forms/setup.py": "tests/views/test_setup.py",
    "requests_app/forms/fal_key.py": "tests/views/test_fal_keys.py",
    "requests_app/keys/check.py": "tests/views/test_fal_keys.py",
    "requests_app/keys/keeping.py": "tests/keys/test_ring.py",
    "requests_app/management/commands/rotate_encryption_key.py": "tests/keys/test_encryption.py",
    "requests_app/models/concealment.py": "tests/views/test_sight.py",
    "requests_app/models/second_factor.py": "tests/views/test_factor_guard.py",
    "requests_app/models/permissions.py": "tests/views/test_sight.py",
    "requests_app/views/hidden_page.py": "tests/views/test_sight.py",
    "requests_app/models/fal_deletion.py": "tests/worker/test_fal_deletions.py",
    "requests_app/models/fal_key.py": "tests/keys/test_ring.py",
    "requests_app/teams/deleting.py": "tests/upkeep/test_team_deletion.py",
    "requests_app/models/retention.py": "tests/upkeep/test_retention_runs.py",
    "requests_app/forms/retention.py": "tests/views/test_retention.py",
    "requests_app/forms/team.py": "tests/views/test_team.py",
    "requests_app/forms/token.py": "tests/views/test_tokens.py",
    "requests_app/forms/times.py": "tests/views/test_times.py",
    "requests_app/views/batch_actions.py": "tests/views/test_batches.py",
    "requests_app/views/bulk_controls.py": "tests/views/test_bulk.py",
    "requests_app/templatetags/batches.py": "tests/views/test_batches.py",
    "requests_app/templatetags/bulk.py": "tests/views/test_bulk.py",
    "requests_app/templatetags/errors.py": "tests/views/test_error_groups.py",
    "requests_app/templatetags/tags.py": "tests/views/test_tags.py",
    "requests_app/templatetags/overview.py": "tests/views/test_overview.py",
    "requests_app/forms/notices.py": "tests/views/test_notices.py",
    # Parts of one thing that is tested as a whole.
    "requests_app/notices/": "tests/notices/test_firing.py",
    "requests_app/models/notice.py": "tests/notices/test_outbox.py",
    "requests_app/fal/guarded_post.py": "tests/notices/test_webhook.py",
    "requests_app/forms/forwarding.py": "tests/views/test_forwarding.py",
    "requests_app/forwarding/": "tests/forwarding/test_outbox.py",
    "requests_app/models/forwarding.py": "tests/forwarding/test_outbox.py",
    "requests_app/batches/": "tests/batches/test_feeding.py",
    "requests_app/catalogue/download.py": "tests/catalogue/test_source.py",
    "requests_app/catalogue/kinds.py": "tests/catalogue/test_fields.py",
    "requests_app/catalogue/resolve.py": "tests/catalogue/test_fields.py",
    "requests_app/fal/call.py": "tests/fal/test_transport.py",
    "requests_app/fal/failures.py": "tests/fal/test_transport.py",
    "requests_app/fal/sessions.py": "tests/fal/test_transport.py",
    "requests_app/export/": "tests/export/test_filtered.py",
    "requests_app/runfile/shapes.py": "tests/runfile/test_reading.py",
    "requests_app/runfile/zip_reading.py": "tests/runfile/test_reading.py",
    "requests_app/runfile/": "tests/runfile/test_writing.py",
    "requests_app/display/imported.py": "tests/views/test_import_run.py",
    "requests_app/models/imported_run.py": "tests/lifecycle/test_importing.py",
    "requests_app/fal/prices.py": "tests/catalogue/test_prices.py",
    "requests_app/copies/": "tests/copies/test_states.py",
    "requests_app/models/media_copy.py": "tests/copies/test_states.py",
    "requests_app/display/marks.py": "tests/views/test_tags.py",
    "requests_app/display/output_media.py": "tests/display/test_media.py",
    "requests_app/display/stream_output.py": "tests/flows/test_stream_endings.py",
    "requests_app/gateway/": "tests/gateway/test_application.py",
    "requests_app/lifecycle/passed.py": "tests/gateway/test_application.py",
    "requests_app/lifecycle/": "tests/lifecycle/test_package.py",
    "requests_app/models/batch.py": "tests/batches/test_feeding.py",
    "requests_app/models/bulk.py": "tests/bulk/test_working.py",
    "requests_app/models/catalogue.py": "tests/catalogue/test_store.py",
    "requests_app/models/cost.py": "tests/display/test_costs.py",
    "requests_app/rules/money.py": "tests/catalogue/test_prices.py",
    "requests_app/models/duration.py": "tests/search/test_sorting.py",
    "requests_app/models/error_group.py": "tests/error_groups/test_counting.py",
    "requests_app/models/error_type.py": "tests/display/test_explain.py",
    "requests_app/models/guesses.py": "tests/accounts/test_throttle.py",
    "requests_app/models/preferences.py": "tests/views/test_times.py",
    "requests_app/models/tags.py": "tests/lifecycle/test_tagging.py",
    "requests_app/models/roll_up.py": "tests/overview/test_rolling.py",
    "requests_app/models/saved_view.py": "tests/views/test_saved_views.py",
    "requests_app/models/thumbnail.py": "tests/thumbnails/test_states.py",
    "requests_app/thumbnails/files.py": "tests/thumbnails/test_states.py",
    "requests_app/thumbnails/problems.py": "tests/thumbnails/test_fetching.py",
    "requests_app/thumbnails/sources.py": "tests/worker/test_thumbnails.py",
    "requests_app/models/preset.py": "tests/presets/test_saving.py",
    "requests_app/models/turns.py": "tests/batches/test_feeding.py",
    "requests_app/relay/": "tests/test_relay.py",
    "requests_app/management/commands/rebuild_overview.py": "tests/overview/test_rolling.py",
    "requests_app/management/commands/rebuild_search.py": "tests/search/test_history.py",
    "requests_app/models/search.py": "tests/search/test_index.py",
    "requests_app/localqueue/": "tests/localqueue/test_package.py",
    "requests_app/models/local_job.py": "tests/localqueue/test_package.py",
    "requests_app/worker/local_jobs.py": "tests/localqueue/test_package.py",
    "requests_app/overview/": "tests/overview/test_rolling.py",
    "requests_app/sandbox/": "tests/sandbox/test_server.py",
    "requests_app/search/": "tests/search/test_package.py",
    "requests_app/accounts/sign_up.py": "tests/views/test_sign_up.py",
    "requests_app/forms/sign_up.py": "tests/views/test_sign_up.py",
    "requests_app/sso/id_token.py": "tests/sso/test_flow.py",
    "requests_app/views/sign_on.py": "tests/sso/test_flow.py",
    "requests_app/teams/claims.py": "tests/sso/test_adapter.py",
    "requests_app/teams/choice.py": "tests/views/test_team_guard.py",
    "requests_app/teams/duplicates.py": "tests/views/test_settings.py",
    "requests_app/teams/people.py": "tests/teams/test_members.py",
    "requests_app/upkeep/health.py": "tests/views/test_health.py",
    "requests_app/worker/looks.py": "tests/worker/test_polls.py",
    "requests_app/worker/submits.py": "tests/worker/test_steps.py",
}


def judge_of(path: str) -> str | None:
    """The test named for the module, or for its folder."""
    named = [place for place in JUDGED_BY if _covers(place, path)]
    return JUDGED_BY[max(named, key=len)] if named else None


def needless(modules: set[str]) -> Iterator[str]:
    """Places that name no module any more."""
    yield from (place for place in JUDGED_BY if not any(_covers(place, path) for path in modules))


def _covers(place: str, path: str) -> bool:
    return path == place or (place.endswith("/") and path.startswith(place))
