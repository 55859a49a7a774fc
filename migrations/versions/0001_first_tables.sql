-- The first tables. Every key of an organisation's table begins with organisation_id;
-- walls, triggers and grants are in 0001_first_tables.py.

CREATE TABLE clock (
    id integer DEFAULT 1 NOT NULL,
    "offset" interval NOT NULL,
    CONSTRAINT pk_clock PRIMARY KEY (id),
    CONSTRAINT ck_clock_one_row CHECK (id = 1)
);

CREATE TABLE door (
    kind text NOT NULL,
    key_hash bytea NOT NULL,
    organisation_id uuid NOT NULL,
    target_id uuid NOT NULL,
    CONSTRAINT pk_door PRIMARY KEY (kind, key_hash),
    CONSTRAINT ck_door_kind CHECK (kind IN ('channel', 'api_key', 'staff', 'entry', 'member_link'))
);
CREATE INDEX ix_door_organisation_id ON door (organisation_id);

CREATE TABLE organisations (
    id uuid NOT NULL,
    name text NOT NULL,
    short_name text NOT NULL,
    default_language text NOT NULL,
    languages text[] NOT NULL,
    wrapped_key bytea NOT NULL,
    wrapped_index_key bytea NOT NULL,
    catalogue_version integer DEFAULT 0 NOT NULL,
    settings jsonb DEFAULT '{}' NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT pk_organisations PRIMARY KEY (id),
    CONSTRAINT ck_organisations_short_name CHECK (length(short_name) BETWEEN 1 AND 24)
);

CREATE TABLE api_keys (
    organisation_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    prefix text NOT NULL,
    secret_hash bytea NOT NULL,
    scopes text[] NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_on date,
    CONSTRAINT pk_api_keys PRIMARY KEY (organisation_id, id),
    CONSTRAINT fk_api_keys_organisation_id
        FOREIGN KEY (organisation_id) REFERENCES organisations (id),
    CONSTRAINT uq_api_keys_organisation_id_secret_hash UNIQUE (organisation_id, secret_hash)
);

CREATE TABLE audit_events (
    organisation_id uuid NOT NULL,
    number bigint NOT NULL,
    at timestamptz NOT NULL,
    actor_kind text NOT NULL,
    actor_id uuid,
    action text NOT NULL,
    subject_kind text NOT NULL,
    subject_id uuid,
    detail jsonb NOT NULL,
    previous bytea NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT pk_audit_events PRIMARY KEY (organisation_id, number),
    CONSTRAINT fk_audit_events_organisation_id
        FOREIGN KEY (organisation_id) REFERENCES organisations (id)
);

CREATE TABLE channels (
    organisation_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    key text NOT NULL,
    name text NOT NULL,
    credentials bytea NOT NULL,
    sender text DEFAULT '' NOT NULL,
    config jsonb DEFAULT '{}' NOT NULL,
    stop_reply text NOT NULL,
    default_language text NOT NULL,
    status text NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT pk_channels PRIMARY KEY (organisation_id, id),
    CONSTRAINT fk_channels_organisation_id
        FOREIGN KEY (organisation_id) REFERENCES organisations (id),
    CONSTRAINT uq_channels_organisation_id_key UNIQUE (organisation_id, key),
    CONSTRAINT ck_channels_kind CHECK (kind IN ('telegram', 'sms', 'whatsapp', 'simulator')),
    CONSTRAINT ck_channels_stop_reply CHECK (stop_reply IN ('provider', 'ours')),
    CONSTRAINT ck_channels_status CHECK (status IN ('active', 'stopped'))
);

CREATE TABLE flow_versions (
    organisation_id uuid NOT NULL,
    id uuid NOT NULL,
    flow text NOT NULL,
    version integer NOT NULL,
    kind text NOT NULL,
    definition jsonb NOT NULL,
    digest bytea NOT NULL,
    published_at timestamptz NOT NULL,
    CONSTRAINT pk_flow_versions PRIMARY KEY (organisation_id, id),
    CONSTRAINT fk_flow_versions_organisation_id
        FOREIGN KEY (organisation_id) REFERENCES organisations (id),
    CONSTRAINT uq_flow_versions_organisation_id_flow_version UNIQUE (organisation_id, flow, version)
);

CREATE TABLE offices (
    organisation_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    countries text[] DEFAULT '{}' NOT NULL,
    time_zone text NOT NULL,
    hours jsonb DEFAULT '{}' NOT NULL,
    CONSTRAINT pk_offices PRIMARY KEY (organisation_id, id),
    CONSTRAINT fk_offices_organisation_id
        FOREIGN KEY (organisation_id) REFERENCES organisations (id)
);

CREATE TABLE tombstones (
    organisation_id uuid NOT NULL,
    address_hash bytea NOT NULL,
    reason text NOT NULL,
    erased_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT pk_tombstones PRIMARY KEY (organisation_id, address_hash),
    CONSTRAINT fk_tombstones_organisation_id
        FOREIGN KEY (organisation_id) REFERENCES organisations (id)
);

CREATE TABLE channel_budgets (
    organisation_id uuid NOT NULL,
    channel_id uuid NOT NULL,
    rate real NOT NULL,
    burst real NOT NULL,
    tokens real NOT NULL,
    refilled_at timestamptz NOT NULL,
    paused_until timestamptz,
    unconsented_day date,
    unconsented_used integer DEFAULT 0 NOT NULL,
    unconsented_limit integer NOT NULL,
    CONSTRAINT pk_channel_budgets PRIMARY KEY (organisation_id, channel_id),
    CONSTRAINT fk_channel_budgets_channel_id
        FOREIGN KEY (organisation_id, channel_id) REFERENCES channels (organisation_id, id) ON DELETE CASCADE
) WITH (fillfactor = 50);

CREATE TABLE contacts (
    organisation_id uuid NOT NULL,
    id uuid NOT NULL,
    wrapped_key bytea NOT NULL,
    language text NOT NULL,
    office_id uuid,
    status text DEFAULT 'active' NOT NULL,
    stopped_at timestamptz,
    merged_into uuid,
    origin jsonb DEFAULT '{}' NOT NULL,
    created_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT pk_contacts PRIMARY KEY (organisation_id, id),
    CONSTRAINT fk_contacts_organisation_id
        FOREIGN KEY (organisation_id) REFERENCES organisations (id),
    CONSTRAINT fk_contacts_office_id
        FOREIGN KEY (organisation_id, office_id) REFERENCES offices (organisation_id, id),
    CONSTRAINT fk_contacts_merged_into
        FOREIGN KEY (organisation_id, merged_into) REFERENCES contacts (organisation_id, id) ON DELETE CASCADE,
    CONSTRAINT ck_contacts_status
        CHECK (status IN ('active', 'stopped', 'merged'))
) WITH (fillfactor = 80);
CREATE INDEX ix_contacts_organisation_id_merged_into ON contacts (organisation_id, merged_into)
    WHERE merged_into IS NOT NULL;

CREATE TABLE content_objects (
    organisation_id uuid NOT NULL,
    channel_id uuid NOT NULL,
    digest bytea NOT NULL,
    sid text NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT pk_content_objects PRIMARY KEY (organisation_id, channel_id, digest),
    CONSTRAINT fk_content_objects_channel_id
        FOREIGN KEY (organisation_id, channel_id) REFERENCES channels (organisation_id, id) ON DELETE CASCADE
);

CREATE TABLE entry_codes (
    organisation_id uuid NOT NULL,
    id uuid NOT NULL,
    code text NOT NULL,
    flow text NOT NULL,
    office_id uuid,
    language text,
    asker text,
    created_at timestamptz NOT NULL,
    closed_at timestamptz,
    CONSTRAINT pk_entry_codes PRIMARY KEY (organisation_id, id),
    CONSTRAINT fk_entry_codes_organisation_id
        FOREIGN KEY (organisation_id) REFERENCES organisations (id),
    CONSTRAINT fk_entry_codes_office_id
        FOREIGN KEY (organisation_id, office_id) REFERENCES offices (organisation_id, id),
    CONSTRAINT uq_entry_codes_organisation_id_code UNIQUE (organisation_id, code)
);

CREATE TABLE idempotency_keys (
    organisation_id uuid NOT NULL,
    key_id uuid NOT NULL,
    key text NOT NULL,
    digest bytea NOT NULL,
    status smallint,
    body jsonb,
    expires_at timestamptz NOT NULL,
    CONSTRAINT pk_idempotency_keys PRIMARY KEY (organisation_id, key_id, key),
    CONSTRAINT fk_idempotency_keys_key_id
        FOREIGN KEY (organisation_id, key_id) REFERENCES api_keys (organisation_id, id) ON DELETE CASCADE
);

CREATE TABLE quarantine (
    organisation_id uuid NOT NULL,
    id uuid NOT NULL,
    channel_id uuid NOT NULL,
    receipt_key bytea NOT NULL,
    address_hash bytea,
    sealed bytea NOT NULL,
    error_code text NOT NULL,
    attempts smallint DEFAULT 0 NOT NULL,
    next_try_at timestamptz,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT pk_quarantine PRIMARY KEY (organisation_id, id),
    CONSTRAINT fk_quarantine_channel_id
        FOREIGN KEY (organisation_id, channel_id) REFERENCES channels (organisation_id, id)
);
CREATE INDEX ix_quarantine_next_try_at ON quarantine (next_try_at) WHERE next_try_at IS NOT NULL;
CREATE INDEX ix_quarantine_organisation_id_address_hash ON quarantine (organisation_id, address_hash);

CREATE TABLE receipts (
    organisation_id uuid NOT NULL,
    channel_id uuid NOT NULL,
    key bytea NOT NULL,
    received_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT pk_receipts PRIMARY KEY (organisation_id, channel_id, key),
    CONSTRAINT fk_receipts_channel_id
        FOREIGN KEY (organisation_id, channel_id) REFERENCES channels (organisation_id, id)
);
CREATE INDEX ix_receipts_expires_at ON receipts USING brin (expires_at);

CREATE TABLE staff (
    organisation_id uuid NOT NULL,
    id uuid NOT NULL,
    email_hash bytea NOT NULL,
    email bytea NOT NULL,
    role text NOT NULL,
    office_id uuid,
    created_at timestamptz NOT NULL,
    disabled_at timestamptz,
    CONSTRAINT pk_staff PRIMARY KEY (organisation_id, id),
    CONSTRAINT fk_staff_organisation_id
        FOREIGN KEY (organisation_id) REFERENCES organisations (id),
    CONSTRAINT fk_staff_office_id
        FOREIGN KEY (organisation_id, office_id) REFERENCES offices (organisation_id, id),
    CONSTRAINT uq_staff_organisation_id_email_hash UNIQUE (organisation_id, email_hash),
    CONSTRAINT ck_staff_role CHECK (role IN ('admin', 'officer', 'analyst', 'auditor'))
);

CREATE TABLE addresses (
    organisation_id uuid NOT NULL,
    id uuid NOT NULL,
    contact_id uuid NOT NULL,
    channel_id uuid NOT NULL,
    scheme text NOT NULL,
    address_hash bytea NOT NULL,
    number_hash bytea,
    sealed bytea NOT NULL,
    status text DEFAULT 'active' NOT NULL,
    window_until timestamptz,
    last_in_at timestamptz,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    CONSTRAINT pk_addresses PRIMARY KEY (organisation_id, id),
    CONSTRAINT fk_addresses_contact_id
        FOREIGN KEY (organisation_id, contact_id) REFERENCES contacts (organisation_id, id) ON DELETE CASCADE,
    CONSTRAINT fk_addresses_channel_id
        FOREIGN KEY (organisation_id, channel_id) REFERENCES channels (organisation_id, id),
    CONSTRAINT uq_addresses_address_hash_organisation_id UNIQUE (address_hash, organisation_id),
    CONSTRAINT uq_addresses_contact_id_id_organisation_id UNIQUE (contact_id, id, organisation_id),
    CONSTRAINT ck_addresses_scheme
        CHECK (scheme IN ('telegram', 'sms', 'whatsapp', 'whatsapp-id', 'sim')),
    CONSTRAINT ck_addresses_status
        CHECK (status IN ('active', 'blocked', 'dead', 'opted_out'))
) WITH (fillfactor = 85);
CREATE INDEX ix_addresses_number_hash_organisation_id ON addresses (number_hash, organisation_id)
    WHERE number_hash IS NOT NULL;

CREATE TABLE consent_events (
    organisation_id uuid NOT NULL,
    id uuid NOT NULL,
    contact_id uuid NOT NULL,
    purpose text NOT NULL,
    action text NOT NULL,
    flow text,
    version integer,
    question text,
    text_hash bytea,
    language text NOT NULL,
    channel_kind text NOT NULL,
    provider_message text,
    at timestamptz NOT NULL,
    expires_at timestamptz,
    CONSTRAINT pk_consent_events PRIMARY KEY (organisation_id, id),
    CONSTRAINT fk_consent_events_contact_id
        FOREIGN KEY (organisation_id, contact_id) REFERENCES contacts (organisation_id, id) ON DELETE CASCADE,
    CONSTRAINT ck_consent_events_action
        CHECK (action IN ('granted', 'refused', 'withdrawn'))
);
CREATE INDEX ix_consent_events_contact_id_id ON consent_events (contact_id, id);

CREATE TABLE conversations (
    organisation_id uuid NOT NULL,
    contact_id uuid NOT NULL,
    seq integer DEFAULT 0 NOT NULL,
    state jsonb,
    session_id uuid,
    window_started_at timestamptz,
    window_replies integer DEFAULT 0 NOT NULL,
    tags integer DEFAULT 0 NOT NULL,
    updated_at timestamptz NOT NULL,
    expires_at timestamptz,
    CONSTRAINT pk_conversations PRIMARY KEY (organisation_id, contact_id),
    CONSTRAINT fk_conversations_contact_id
        FOREIGN KEY (organisation_id, contact_id) REFERENCES contacts (organisation_id, id) ON DELETE CASCADE
) WITH (fillfactor = 80);

CREATE TABLE flow_sessions (
    organisation_id uuid NOT NULL,
    id uuid NOT NULL,
    contact_id uuid NOT NULL,
    flow_version_id uuid NOT NULL,
    flow text NOT NULL,
    kind text NOT NULL,
    status text NOT NULL,
    language text NOT NULL,
    channel_kind text NOT NULL,
    origin jsonb DEFAULT '{}' NOT NULL,
    started_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    completed_at timestamptz,
    reminded_at timestamptz,
    expires_at timestamptz,
    CONSTRAINT pk_flow_sessions PRIMARY KEY (organisation_id, id),
    CONSTRAINT fk_flow_sessions_contact_id
        FOREIGN KEY (organisation_id, contact_id) REFERENCES contacts (organisation_id, id) ON DELETE CASCADE,
    CONSTRAINT fk_flow_sessions_flow_version_id
        FOREIGN KEY (organisation_id, flow_version_id) REFERENCES flow_versions (organisation_id, id),
    CONSTRAINT uq_flow_sessions_contact_id_id_organisation_id UNIQUE (contact_id, id, organisation_id),
    CONSTRAINT ck_flow_sessions_status
        CHECK (status IN ('waiting', 'complete', 'partial', 'stopped', 'expired'))
) WITH (fillfactor = 85);
CREATE INDEX ix_flow_sessions_registrations ON flow_sessions (organisation_id, id)
    WHERE kind = 'registration';

CREATE TABLE profiles (
    organisation_id uuid NOT NULL,
    contact_id uuid NOT NULL,
    country text,
    place text,
    region text,
    time_zone text,
    link text,
    age_band text,
    gender text,
    activity text,
    language text,
    channel text,
    office_id uuid,
    consents text[] DEFAULT '{}' NOT NULL,
    joined_at timestamptz NOT NULL,
    registered_at timestamptz,
    last_seen_at timestamptz NOT NULL,
    rest jsonb DEFAULT '{}' NOT NULL,
    expires_at timestamptz,
    CONSTRAINT pk_profiles PRIMARY KEY (organisation_id, contact_id),
    CONSTRAINT fk_profiles_contact_id
        FOREIGN KEY (organisation_id, contact_id) REFERENCES contacts (organisation_id, id) ON DELETE CASCADE,
    CONSTRAINT fk_profiles_office_id
        FOREIGN KEY (organisation_id, office_id) REFERENCES offices (organisation_id, id)
) WITH (fillfactor = 85);

CREATE TABLE answers (
    organisation_id uuid NOT NULL,
    session_id uuid NOT NULL,
    question text NOT NULL,
    contact_id uuid NOT NULL,
    flow_version_id uuid NOT NULL,
    flow text NOT NULL,
    value jsonb,
    sealed bytea,
    skipped boolean DEFAULT false NOT NULL,
    language text NOT NULL,
    channel_kind text NOT NULL,
    answered_at timestamptz NOT NULL,
    expires_at timestamptz,
    CONSTRAINT pk_answers PRIMARY KEY (organisation_id, session_id, question),
    CONSTRAINT fk_answers_session_id
        FOREIGN KEY (organisation_id, contact_id, session_id) REFERENCES flow_sessions (organisation_id, contact_id, id) ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT fk_answers_flow_version_id
        FOREIGN KEY (organisation_id, flow_version_id) REFERENCES flow_versions (organisation_id, id)
) WITH (fillfactor = 90);
CREATE INDEX ix_answers_contact_id ON answers (contact_id);

CREATE TABLE due (
    organisation_id uuid NOT NULL,
    id uuid NOT NULL,
    contact_id uuid NOT NULL,
    kind text NOT NULL,
    session_id uuid,
    payload jsonb DEFAULT '{}' NOT NULL,
    due_at timestamptz NOT NULL,
    attempts smallint DEFAULT 0 NOT NULL,
    expires_at timestamptz,
    CONSTRAINT pk_due PRIMARY KEY (organisation_id, id),
    CONSTRAINT fk_due_contact_id
        FOREIGN KEY (organisation_id, contact_id) REFERENCES contacts (organisation_id, id) ON DELETE CASCADE,
    CONSTRAINT fk_due_session_id
        FOREIGN KEY (organisation_id, session_id) REFERENCES flow_sessions (organisation_id, id) ON DELETE CASCADE
);
CREATE INDEX ix_due_due_at ON due (due_at);
CREATE INDEX ix_due_contact_id ON due (contact_id);
CREATE INDEX ix_due_organisation_id_session_id ON due (organisation_id, session_id)
    WHERE session_id IS NOT NULL;

CREATE TABLE messages (
    organisation_id uuid NOT NULL,
    id uuid NOT NULL,
    contact_id uuid NOT NULL,
    address_id uuid NOT NULL,
    channel_id uuid NOT NULL,
    direction text NOT NULL,
    status text NOT NULL,
    lane smallint DEFAULT 1 NOT NULL,
    kind text,
    content jsonb,
    flow_version_id uuid,
    question text,
    language text NOT NULL,
    sealed bytea,
    text_hash bytea,
    seq integer,
    session_id uuid,
    edits text,
    provider_id text,
    due_at timestamptz,
    leased_until timestamptz,
    leased_by text,
    attempts smallint DEFAULT 0 NOT NULL,
    error_code text,
    created_at timestamptz NOT NULL,
    sent_at timestamptz,
    expires_at timestamptz NOT NULL,
    CONSTRAINT pk_messages PRIMARY KEY (organisation_id, id),
    CONSTRAINT fk_messages_address_id
        FOREIGN KEY (organisation_id, contact_id, address_id) REFERENCES addresses (organisation_id, contact_id, id) ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT fk_messages_channel_id
        FOREIGN KEY (organisation_id, channel_id) REFERENCES channels (organisation_id, id),
    CONSTRAINT fk_messages_flow_version_id
        FOREIGN KEY (organisation_id, flow_version_id) REFERENCES flow_versions (organisation_id, id),
    CONSTRAINT ck_messages_direction
        CHECK (direction IN ('in', 'out')),
    CONSTRAINT ck_messages_status
        CHECK (status IN ('received', 'queued', 'sending', 'sent', 'delivered', 'read', 'failed', 'unknown', 'canceled')),
    CONSTRAINT ck_messages_kind
        CHECK (kind IN ('rights', 'question', 'notice', 'broadcast'))
) WITH (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
CREATE INDEX ix_messages_claim ON messages (channel_id, lane, due_at)
    WHERE status IN ('queued', 'sending');
CREATE INDEX ix_messages_expires_at ON messages USING brin (expires_at);
CREATE INDEX ix_messages_contact_id_id ON messages (contact_id, id);
CREATE INDEX ix_messages_provider_id ON messages (organisation_id, channel_id, provider_id)
    WHERE provider_id IS NOT NULL;
CREATE INDEX ix_messages_unsent ON messages (contact_id)
    WHERE status IN ('queued', 'sending');

