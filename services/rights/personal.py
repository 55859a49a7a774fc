"""Where anything about a person is kept: every personal table, and what of it they are shown.

MYDATA, its file and its test read this list; a personal table or column that is not in it fails
the tests. Shown is everything but the keys and secrets that would open somebody's data.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

KEY: Final = "opens everything else here; it is destroyed by DELETE"
ONE_WAY: Final = "a one-way mark of a secret; it says nothing about the person"
EVERYWHERE: Final = "organisation_id"
"""The same in every row of an organisation, so it is nowhere told."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What of one table is shown.

    `by` is the column that says whose a row is. `opened` are sealed columns, shown in clear;
    `left_out` are columns that are not shown, each with its reason.
    """

    shown: tuple[str, ...]
    by: str = "contact_id"
    opened: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def columns(self) -> frozenset[str]:
        """Every column that this entry speaks of."""
        return frozenset((*self.shown, *self.opened, *self.left_out))


def _names(listed: str) -> tuple[str, ...]:
    return tuple(listed.split())


PERSONAL: Final[Mapping[str, Kept]] = MappingProxyType(
    {
        "contacts": Kept(
            _names(
                "id language office_id status stopped_at merged_into origin created_at"
                " last_seen_at expires_at"
            ),
            by="id",
            left_out={"wrapped_key": KEY},
        ),
        "addresses": Kept(
            _names(
                "id contact_id channel_id scheme address_hash number_hash status window_until"
                " last_in_at created_at expires_at"
            ),
            opened=("sealed",),
        ),
        "profiles": Kept(
            _names(
                "contact_id country place region time_zone link age_band gender activity language"
                " channel office_id consents monthly_cap joined_at registered_at"
                " last_seen_at rest expires_at"
            )
        ),
        "flow_sessions": Kept(
            _names(
                "id contact_id flow_version_id flow kind status language channel_kind origin ask_id"
                " relay started_at updated_at completed_at reminded_at expires_at"
            )
        ),
        "answers": Kept(
            _names(
                "session_id question contact_id flow_version_id flow value skipped language"
                " channel_kind answered_at expires_at"
            ),
            opened=("sealed",),
        ),
        "consent_events": Kept(
            _names(
                "id contact_id purpose action flow version question text_hash language"
                " channel_kind provider_message at expires_at"
            )
        ),
        "conversations": Kept(
            _names(
                "contact_id seq state session_id window_started_at window_replies tags updated_at"
                " expires_at case_id"
            )
        ),
        "messages": Kept(
            _names(
                "id contact_id address_id channel_id direction status lane kind content"
                " flow_version_id question language text_hash seq session_id edits provider_id"
                " due_at leased_until leased_by attempts error_code created_at sent_at expires_at"
            ),
            opened=("sealed",),
        ),
        "recordings": Kept(
            _names(
                "id contact_id session_id question channel_kind content_type size said_at"
                " expires_at"
            ),
            opened=("sealed",),
        ),
        "cases": Kept(
            _names(
                "id contact_id session_id question reason status staff_id unread opened_at"
                " last_message_at answered_at closed_at expires_at"
            )
        ),
        "due": Kept(_names("id contact_id kind session_id payload due_at attempts expires_at")),
        "member_links": Kept(
            _names("id contact_id language tries created_at opened_at expires_at"),
            left_out=dict.fromkeys(_names("token_hash code_hash download_hash"), ONE_WAY),
        ),
        "link_codes": Kept(
            _names("id contact_id claimant_id tries created_at expires_at"),
            left_out=dict.fromkeys(_names("code_hash"), ONE_WAY),
        ),
        "link_tries": Kept(_names("id contact_id tried_at expires_at")),
        "leaders": Kept(
            _names(
                "id community_id contact_id number_hash status invited_at accepted_at expires_at"
            ),
            left_out=dict.fromkeys(_names("code_hash"), ONE_WAY),
        ),
        "recipients": Kept(
            _names(
                "ask_id kind contact_id broadcast_id address_id channel_id channel_kind asker_id"
                " status reason send_at message_id queued_at expires_at"
            )
        ),
        "text_reviews": Kept(
            _names("session_id question contact_id status reviewed_at expires_at")
        ),
        "firings": Kept(
            _names("id rule_id contact_id cause status reason figures fired_at done_at expires_at")
        ),
        "webhook_deliveries": Kept(
            _names(
                "id endpoint_id contact_id event kind payload status attempts next_try_at"
                " last_status response_ms error_code created_at delivered_at expires_at"
            )
        ),
        "quarantine": Kept(
            _names(
                "id channel_id receipt_key address_hash error_code attempts next_try_at"
                " created_at expires_at"
            ),
            by="address_hash",
            opened=("sealed",),
        ),
        "tombstones": Kept(_names("address_hash reason erased_at expires_at"), by="address_hash"),
    }
)
