"""What a key must be allowed for each operation; what is not listed cannot be served."""

from collections.abc import Mapping
from types import MappingProxyType

PEOPLE_READ = "people:read"
PEOPLE_ADDRESSES = "people:addresses"
PEOPLE_ERASE = "people:erase"
PEOPLE_EXPORT = "people:export"
CASES_READ = "cases:read"
CASES_WRITE = "cases:write"
FLOWS_READ = "flows:read"
FLOWS_WRITE = "flows:write"
CHANNELS_READ = "channels:read"
CHANNELS_WRITE = "channels:write"
ORGANISATION_READ = "organisation:read"
ORGANISATION_WRITE = "organisation:write"
AUDIT_READ = "audit:read"
INSIGHTS_READ = "insights:read"
AUDIENCES_READ = "audiences:read"
AUDIENCES_WRITE = "audiences:write"
AUDIENCES_COUNT = "audiences:count"
AUDIENCES_SMALL = "audiences:small"
POLLS_READ = "polls:read"
POLLS_WRITE = "polls:write"
RELAYS_READ = "relays:read"
RELAYS_WRITE = "relays:write"
RESULTS_READ = "results:read"
TEXTS_READ = "texts:read"
TEXTS_WRITE = "texts:write"
RULES_READ = "rules:read"
RULES_WRITE = "rules:write"
WEBHOOKS_READ = "webhooks:read"
WEBHOOKS_WRITE = "webhooks:write"

MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        PEOPLE_READ: "read rows about single people, sealed answers included; never for analysts",
        PEOPLE_ADDRESSES: "see addresses in clear, with a reason",
        PEOPLE_ERASE: "erase a person, with a reason",
        PEOPLE_EXPORT: "export rows about people, with people:read and a reason",
        CASES_READ: "see which cases wait; whose they are and what was written needs people:read",
        CASES_WRITE: "answer, assign and close cases",
        FLOWS_READ: "read published flows and their entry codes",
        FLOWS_WRITE: "publish flows and make entry codes",
        CHANNELS_READ: "read channels, never their credentials",
        CHANNELS_WRITE: "add channels",
        ORGANISATION_READ: "read the organisation and its offices",
        ORGANISATION_WRITE: "change the organisation's emergency line and what messages cost",
        AUDIT_READ: "read the audit chain",
        INSIGHTS_READ: "read figures about groups of ten people or more, never rows",
        AUDIENCES_READ: "read saved audiences and what a condition means in words",
        AUDIENCES_WRITE: "save and change audiences",
        AUDIENCES_COUNT: "see how many people a condition means; never for analysts; recorded",
        AUDIENCES_SMALL: "address fewer than ten people; recorded",
        POLLS_READ: "read polls, what they ask and what was promised",
        POLLS_WRITE: "make, open, close and cancel polls, and push them to people",
        RELAYS_READ: "read communities, leaders and relays, and in bands how many answered by them",
        RELAYS_WRITE: "invite and revoke leaders, and make and close relays",
        RESULTS_READ: "read results of polls as they may leave, never rows",
        TEXTS_READ: "read what people wrote in polls, with people:read and a reason",
        TEXTS_WRITE: "decide about what people wrote in polls, with people:read and a reason",
        RULES_READ: "read follow-up rules, and rehearse them; who it is needs people:read",
        RULES_WRITE: "write, pause and end follow-up rules, approve what they start",
        WEBHOOKS_READ: "read webhooks and what they were told, never their secrets",
        WEBHOOKS_WRITE: "add, test, rotate, enable and remove webhooks",
    }
)
"""Every scope a key may carry, in a sentence; "*" carries all."""

SCOPES: Mapping[str, str] = MappingProxyType(
    {
        "GET /audit": AUDIT_READ,
        "GET /audiences": AUDIENCES_READ,
        "POST /audiences": AUDIENCES_WRITE,
        "POST /audiences/preview": AUDIENCES_READ,
        "GET /audiences/{audience_id}": AUDIENCES_READ,
        "PATCH /audiences/{audience_id}": AUDIENCES_WRITE,
        "DELETE /audiences/{audience_id}": AUDIENCES_WRITE,
        "GET /broadcasts": POLLS_READ,
        "POST /broadcasts": POLLS_WRITE,
        "GET /broadcasts/{broadcast_id}": POLLS_READ,
        "POST /broadcasts/{broadcast_id}/cancel": POLLS_WRITE,
        "GET /broadcasts/{broadcast_id}/recipients": PEOPLE_READ,
        "GET /cases": CASES_READ,
        "GET /cases/{case_id}": CASES_READ,
        "POST /cases/{case_id}/answer": CASES_WRITE,
        "POST /cases/{case_id}/assign": CASES_WRITE,
        "POST /cases/{case_id}/close": CASES_WRITE,
        "GET /channels": CHANNELS_READ,
        "POST /channels": CHANNELS_WRITE,
        "GET /communities": RELAYS_READ,
        "POST /communities": RELAYS_WRITE,
        "GET /consents": PEOPLE_READ,
        "GET /contacts": PEOPLE_READ,
        "GET /contacts/{contact_id}": PEOPLE_READ,
        "DELETE /contacts/{contact_id}": PEOPLE_ERASE,
        "GET /contacts/{contact_id}/consents": PEOPLE_READ,
        "POST /exports": PEOPLE_EXPORT,
        "GET /flows": FLOWS_READ,
        "POST /flows": FLOWS_WRITE,
        "GET /flows/{flow_id}": FLOWS_READ,
        "POST /flows/{flow_id}/entry-codes": FLOWS_WRITE,
        "GET /insights/registrations/funnel": INSIGHTS_READ,
        "GET /leaders": RELAYS_READ,
        "POST /leaders": RELAYS_WRITE,
        "POST /leaders/{leader_id}/revoke": RELAYS_WRITE,
        "GET /messages": PEOPLE_READ,
        "GET /organisation": ORGANISATION_READ,
        "PATCH /organisation": ORGANISATION_WRITE,
        "GET /organisation/prices": ORGANISATION_READ,
        "PUT /organisation/prices": ORGANISATION_WRITE,
        "GET /polls": POLLS_READ,
        "POST /polls": POLLS_WRITE,
        "GET /polls/{poll_id}": POLLS_READ,
        "PATCH /polls/{poll_id}": POLLS_WRITE,
        "POST /polls/{poll_id}/cancel": POLLS_WRITE,
        "POST /polls/{poll_id}/close": POLLS_WRITE,
        "POST /polls/{poll_id}/dry-run": POLLS_WRITE,
        "GET /polls/{poll_id}/languages/{language}": POLLS_READ,
        "PUT /polls/{poll_id}/languages/{language}": POLLS_WRITE,
        "POST /polls/{poll_id}/open": POLLS_WRITE,
        "POST /polls/{poll_id}/pause": POLLS_WRITE,
        "POST /polls/{poll_id}/remind": POLLS_WRITE,
        "POST /polls/{poll_id}/report-back": POLLS_WRITE,
        "POST /polls/{poll_id}/resume": POLLS_WRITE,
        "GET /polls/{poll_id}/results": RESULTS_READ,
        "POST /polls/{poll_id}/test": POLLS_WRITE,
        "GET /polls/{poll_id}/texts": TEXTS_READ,
        "POST /polls/{poll_id}/texts/{text_id}": TEXTS_WRITE,
        "GET /recordings": PEOPLE_READ,
        "GET /recordings/{recording_id}": PEOPLE_READ,
        "GET /registrations": PEOPLE_READ,
        "GET /registrations/{registration_id}": PEOPLE_READ,
        "GET /relays": RELAYS_READ,
        "POST /relays": RELAYS_WRITE,
        "GET /relays/{relay_id}": RELAYS_READ,
        "POST /relays/{relay_id}/close": RELAYS_WRITE,
        "GET /rules": RULES_READ,
        "POST /rules": RULES_WRITE,
        "GET /rules/{rule_id}": RULES_READ,
        "POST /rules/{rule_id}/end": RULES_WRITE,
        "GET /rules/{rule_id}/firings": PEOPLE_READ,
        "POST /rules/{rule_id}/firings/{firing_id}/approve": RULES_WRITE,
        "POST /rules/{rule_id}/firings/{firing_id}/refuse": RULES_WRITE,
        "POST /rules/{rule_id}/pause": RULES_WRITE,
        "POST /rules/{rule_id}/rehearse": RULES_READ,
        "POST /rules/{rule_id}/resume": RULES_WRITE,
        "GET /webhooks": WEBHOOKS_READ,
        "POST /webhooks": WEBHOOKS_WRITE,
        "GET /webhooks/{webhook_id}": WEBHOOKS_READ,
        "DELETE /webhooks/{webhook_id}": WEBHOOKS_WRITE,
        "GET /webhooks/{webhook_id}/deliveries": WEBHOOKS_READ,
        "POST /webhooks/{webhook_id}/enable": WEBHOOKS_WRITE,
        "POST /webhooks/{webhook_id}/rotate": WEBHOOKS_WRITE,
        "POST /webhooks/{webhook_id}/test": WEBHOOKS_WRITE,
    }
)
"""The scope of each operation. A route without a line here stops the start."""

NEED_REASON = frozenset(
    {
        "DELETE /contacts/{contact_id}",
        "GET /polls/{poll_id}/texts",
        "GET /recordings/{recording_id}",
        "POST /exports",
        "POST /polls/{poll_id}/texts/{text_id}",
    }
)
"""Operations that are refused without a reason."""
