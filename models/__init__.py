"""The tables, each in the file of its noun; importing this package knows them all."""

from models.address import Address, AddressStatus, Scheme
from models.api_key import ApiKey, IdempotencyKey
from models.audit import AuditEvent, Tombstone
from models.base import Base, new_id
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
from models.receipt import Quarantined, Receipt
from models.staff import Role, Staff
from models.template import TemplateStatus, WhatsAppTemplate
from models.walls import Door, DoorKind
from models.webhook import DeliveryStatus, EndpointStatus, WebhookDelivery, WebhookEndpoint

__all__ = [
    "Address",
    "AddressStatus",
    "Answer",
    "ApiKey",
    "AuditEvent",
    "Base",
    "Case",
    "CaseReason",
    "CaseStatus",
    "Channel",
    "ChannelBudget",
    "ChannelKind",
    "ChannelStatus",
    "ClockOffset",
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
    "FlowSession",
    "FlowVersion",
    "IdempotencyKey",
    "Lane",
    "LinkCode",
    "LinkTry",
    "MemberLink",
    "Message",
    "MessageKind",
    "MessageStatus",
    "Office",
    "Organisation",
    "Profile",
    "Quarantined",
    "Receipt",
    "Role",
    "Scheme",
    "SessionStatus",
    "Staff",
    "StopReply",
    "TemplateStatus",
    "Tombstone",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WhatsAppTemplate",
    "new_id",
]
