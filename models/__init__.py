"""The tables, each in the file of its noun; importing this package knows them all."""

from models.address import Address, AddressStatus, Scheme
from models.api_key import ApiKey, IdempotencyKey
from models.ask import Ask, Asker, AskerKind, AskKind, AskMode, AskStatus
from models.audience import Audience, AudienceVersion
from models.audit import AuditEvent, Tombstone
from models.ballot import Ballot, BallotBox, VoterTag
from models.base import Base, new_id
from models.broadcast import (
    Broadcast,
    BroadcastKind,
    BroadcastStatus,
    Recipient,
    RecipientStatus,
)
from models.case import Case, CaseReason, CaseStatus
from models.channel import (
    Channel,
    ChannelBudget,
    ChannelKind,
    ChannelStatus,
    ContentObject,
    StopReply,
)
from models.clock import ClockOffset
from models.consent import ConsentAction, ConsentEvent
from models.contact import Contact, ContactStatus, Conversation
from models.due import Due
from models.flow_session import Answer, FlowSession, SessionStatus
from models.flow_version import EntryCode, FlowVersion
from models.link_code import LinkCode, LinkTry
from models.member_link import MemberLink
from models.message import Direction, Lane, Message, MessageKind, MessageStatus
from models.office import Office
from models.organisation import Organisation
from models.profile import Profile
from models.publication import FunnelRelease, Publication, ReviewStatus, TextReview
from models.receipt import Quarantined, Receipt
from models.recording import Recording
from models.relay import Community, Flag, FlagKind, GroupPoll, Leader, LeaderStatus, Relay
from models.rule import Firing, FiringStatus, Rule, RuleStatus
from models.staff import Role, Staff
from models.template import TemplateStatus, WhatsAppTemplate
from models.walls import Door, DoorKind
from models.webhook import DeliveryStatus, EndpointStatus, WebhookDelivery, WebhookEndpoint

__all__ = [
    "Address",
    "AddressStatus",
    "Answer",
    "ApiKey",
    "Ask",
    "AskKind",
    "AskMode",
    "AskStatus",
    "Asker",
    "AskerKind",
    "Audience",
    "AudienceVersion",
    "AuditEvent",
    "Ballot",
    "BallotBox",
    "Base",
    "Broadcast",
    "BroadcastKind",
    "BroadcastStatus",
    "Case",
    "CaseReason",
    "CaseStatus",
    "Channel",
    "ChannelBudget",
    "ChannelKind",
    "ChannelStatus",
    "ClockOffset",
    "Community",
    "ConsentAction",
    "ConsentEvent",
    "Contact",
    "ContactStatus",
    "ContentObject",
    "Conversation",
    "DeliveryStatus",
    "Direction",
    "Door",
    "DoorKind",
    "Due",
    "EndpointStatus",
    "EntryCode",
    "Firing",
    "FiringStatus",
    "Flag",
    "FlagKind",
    "FlowSession",
    "FlowVersion",
    "FunnelRelease",
    "GroupPoll",
    "IdempotencyKey",
    "Lane",
    "Leader",
    "LeaderStatus",
    "LinkCode",
    "LinkTry",
    "MemberLink",
    "Message",
    "MessageKind",
    "MessageStatus",
    "Office",
    "Organisation",
    "Profile",
    "Publication",
    "Quarantined",
    "Receipt",
    "Recipient",
    "RecipientStatus",
    "Recording",
    "Relay",
    "ReviewStatus",
    "Role",
    "Rule",
    "RuleStatus",
    "Scheme",
    "SessionStatus",
    "Staff",
    "StopReply",
    "TemplateStatus",
    "TextReview",
    "Tombstone",
    "VoterTag",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WhatsAppTemplate",
    "new_id",
]
