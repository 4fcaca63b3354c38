"""Models: what is stored, what it means, and querysets."""

from __future__ import annotations

from requests_app.models.account import Account, AccountName, NameTaken
from requests_app.models.audit import AuditAct, AuditEntry, AuditSeal
from requests_app.models.batch import AT_WORK, UNSTARTED, Batch, BatchItem, BatchState, ItemState
from requests_app.models.bulk import (
    FOR_MANAGERS,
    WITH_TAGS,
    BulkAction,
    BulkItem,
    BulkState,
    BulkVerb,
    Outcome,
)
from requests_app.models.catalogue import (
    Endpoint,
    EndpointDocument,
    ModelCard,
    SeenChange,
    TeamEndpoint,
)
from requests_app.models.concealment import conceal_answer, kind_of_error
from requests_app.models.cost import CostProblem, CostState
from requests_app.models.error_group import (
    ErrorDecision,
    ErrorGroup,
    ErrorHour,
    ErrorPerson,
    ErrorTally,
    GroupState,
)
from requests_app.models.error_type import ErrorType
from requests_app.models.evidence import (
    Delivery,
    Direction,
    FalAccount,
    Frame,
    Heartbeat,
    LogLine,
    OutputPart,
)
from requests_app.models.export import Export, ExportFormat, ExportState
from requests_app.models.fal_deletion import ASKED_AGAIN, FalDeletion, FalDeletionState
from requests_app.models.fal_key import FalKey
from requests_app.models.former_name import FormerName
from requests_app.models.forwarding import (
    ENDS,
    ForwardAttempt,
    ForwardDestination,
    ForwardEvent,
    ForwardMessage,
    ForwardState,
)
from requests_app.models.guesses import GuessCounter
from requests_app.models.imported_run import ImportedRun
from requests_app.models.local_job import LocalJob
from requests_app.models.media_copy import CopyLook, CopyRules, CopyState, KeptFile, MediaCopy
from requests_app.models.names import fault_of, keys_of
from requests_app.models.notice import (
    ChannelKind,
    Notice,
    NoticeChannel,
    NoticeEvent,
    NoticeHours,
    NoticeRule,
    NoticeState,
    RuleEvent,
)
from requests_app.models.observation import Observation, Source
from requests_app.models.permissions import HIDDEN, Right, Role
from requests_app.models.preferences import TimePreference
from requests_app.models.preset import Preset, PresetVersion, Use
from requests_app.models.request import (
    AT_FAL,
    ENDED,
    LIVE,
    SUBMITTABLE,
    FalRequest,
    IdempotencyKey,
    Mode,
    RequestOrigin,
    Status,
)
from requests_app.models.retention import RetentionRun
from requests_app.models.roll_up import DAY, HOUR, MINUTE, RollUp, RollUpMark, RollUpProgress
from requests_app.models.saved_view import ListPreference, SavedView
from requests_app.models.search import SearchEntry, SearchHistory
from requests_app.models.second_factor import factors_of, has_factor
from requests_app.models.sender_ranges import SenderRanges
from requests_app.models.session import Session
from requests_app.models.tags import Star, Tag, Tagging
from requests_app.models.team import Invitation, Membership, SetupLink, Team, digest
from requests_app.models.thumbnail import FurtherThumbnail, Thumbnail
from requests_app.models.token import ApiToken, TokenScope

__all__ = [
    "ASKED_AGAIN",
    "AT_FAL",
    "AT_WORK",
    "DAY",
    "ENDED",
    "ENDS",
    "FOR_MANAGERS",
    "HIDDEN",
    "HOUR",
    "LIVE",
    "MINUTE",
    "SUBMITTABLE",
    "UNSTARTED",
    "WITH_TAGS",
    "Account",
    "AccountName",
    "ApiToken",
    "AuditAct",
    "AuditEntry",
    "AuditSeal",
    "Batch",
    "BatchItem",
    "BatchState",
    "BulkAction",
    "BulkItem",
    "BulkState",
    "BulkVerb",
    "ChannelKind",
    "CopyLook",
    "CopyRules",
    "CopyState",
    "CostProblem",
    "CostState",
    "Delivery",
    "Direction",
    "Endpoint",
    "EndpointDocument",
    "ErrorDecision",
    "ErrorGroup",
    "ErrorHour",
    "ErrorPerson",
    "ErrorTally",
    "ErrorType",
    "Export",
    "ExportFormat",
    "ExportState",
    "FalAccount",
    "FalDeletion",
    "FalDeletionState",
    "FalKey",
    "FalRequest",
    "FormerName",
    "ForwardAttempt",
    "ForwardDestination",
    "ForwardEvent",
    "ForwardMessage",
    "ForwardState",
    "Frame",
    "FurtherThumbnail",
    "GroupState",
    "GuessCounter",
    "Heartbeat",
    "IdempotencyKey",
    "ImportedRun",
    "Invitation",
    "ItemState",
    "KeptFile",
    "ListPreference",
    "LocalJob",
    "LogLine",
    "MediaCopy",
    "Membership",
    "Mode",
    "ModelCard",
    "NameTaken",
    "Notice",
    "NoticeChannel",
    "NoticeEvent",
    "NoticeHours",
    "NoticeRule",
    "NoticeState",
    "Observation",
    "Outcome",
    "OutputPart",
    "Preset",
    "PresetVersion",
    "RequestOrigin",
    "RetentionRun",
    "Right",
    "Role",
    "RollUp",
    "RollUpMark",
    "RollUpProgress",
    "RuleEvent",
    "SavedView",
    "SearchEntry",
    "SearchHistory",
    "SeenChange",
    "SenderRanges",
    "Session",
    "SetupLink",
    "Source",
    "Star",
    "Status",
    "Tag",
    "Tagging",
    "Team",
    "TeamEndpoint",
    "Thumbnail",
    "TimePreference",
    "TokenScope",
    "Use",
    "conceal_answer",
    "digest",
    "factors_of",
    "fault_of",
    "has_factor",
    "keys_of",
    "kind_of_error",
]
