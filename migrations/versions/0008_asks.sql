-- Asks and everything about them: who is asked, by whom, what they said, what left, what follows.
CREATE TABLE communities (
    organisation_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT pk_communities PRIMARY KEY (organisation_id, id),
    CONSTRAINT fk_communities_organisation_id
        FOREIGN KEY (organisation_id) REFERENCES organisations (id),
    CONSTRAINT uq_communities_organisation_id_name UNIQUE (organisation_id, name)
);

CREATE TABLE leaders (
    organisation_id uuid NOT NULL,
    id uuid NOT NULL,
    community_id uuid,
    contact_id uuid,
    number_hash bytea,
    code_hash bytea NOT NULL,
    status text NOT NULL,
    invited_at timestamptz NOT NULL,
    accepted_at timestamptz,
    expires_at timestamptz,
    CONSTRAINT pk_leaders PRIMARY KEY (organisation_id, id),
    CONSTRAINT fk_leaders_community_id
        FOREIGN KEY (organisation_id, community_id) REFERENCES communities (organisation_id, id),
    CONSTRAINT fk_leaders_contact_id
        FOREIGN KEY (organisation_id, contact_id) REFERENCES contacts (organisation_id, id) ON DELETE CASCADE,
    CONSTRAINT ck_leaders_status CHECK (status IN ('invited', 'active', 'revoked')),
    CONSTRAINT uq_leaders_code_hash_organisation_id UNIQUE (code_hash, organisation_id)
);
CREATE INDEX ix_leaders_contact_id ON leaders (contact_id)
    WHERE contact_id IS NOT NULL;
CREATE INDEX ix_leaders_number_hash ON leaders (number_hash)
    WHERE number_hash IS NOT NULL;

CREATE TABLE audiences (
    organisation_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    archived_at timestamptz,
    CONSTRAINT pk_audiences PRIMARY KEY (organisation_id, id),
    CONSTRAINT fk_audiences_organisation_id
        FOREIGN KEY (organisation_id) REFERENCES organisations (id),
    CONSTRAINT uq_audiences_organisation_id_name UNIQUE (organisation_id, name)
);

CREATE TABLE audience_versions (
    organisation_id uuid NOT NULL,
    audience_id uuid NOT NULL,
    version integer NOT NULL,
    condition jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT pk_audience_versions PRIMARY KEY (organisation_id, audience_id, version),
    CONSTRAINT fk_audience_versions_audience_id
        FOREIGN KEY (organisation_id, audience_id) REFERENCES audiences (organisation_id, id)
);

CREATE TABLE asks (
    organisation_id uuid NOT NULL,
    id uuid NOT NULL,
    code text NOT NULL,
    kind text NOT NULL,
    mode text NOT NULL,
    status text NOT NULL,
    flow text NOT NULL,
    flow_version_id uuid NOT NULL,
    office_id uuid,
    previous_id uuid,
    audience jsonb,
    breakdowns jsonb DEFAULT '[]' NOT NULL,
    quota integer,
    opens_at timestamptz,
    closes_at timestamptz,
    report_back_on date NOT NULL,
    report_back jsonb,
    later_by date,
    reported_at timestamptz,
    created_at timestamptz NOT NULL,
    opened_at timestamptz,
    closed_at timestamptz,
    tally jsonb,
    counted_at timestamptz,
    CONSTRAINT pk_asks PRIMARY KEY (organisation_id, id),
    CONSTRAINT fk_asks_organisation_id
        FOREIGN KEY (organisation_id) REFERENCES organisations (id),
    CONSTRAINT fk_asks_flow_version_id
        FOREIGN KEY (organisation_id, flow_version_id) REFERENCES flow_versions (organisation_id, id),
    CONSTRAINT fk_asks_office_id
        FOREIGN KEY (organisation_id, office_id) REFERENCES offices (organisation_id, id),
    CONSTRAINT fk_asks_previous_id
        FOREIGN KEY (organisation_id, previous_id) REFERENCES asks (organisation_id, id),
    CONSTRAINT uq_asks_organisation_id_code UNIQUE (organisation_id, code),
    CONSTRAINT ck_asks_kind CHECK (kind IN ('poll', 'consultation', 'notice')),
    CONSTRAINT ck_asks_mode CHECK (mode IN ('named', 'secret')),
    CONSTRAINT ck_asks_status CHECK (status IN ('draft', 'open', 'closing', 'closed', 'canceled'))
);
CREATE INDEX ix_asks_running ON asks (status, closes_at)
    WHERE status IN ('draft', 'open', 'closing');

CREATE TABLE askers (
    organisation_id uuid NOT NULL,
    id uuid NOT NULL,
    ask_id uuid NOT NULL,
    position smallint NOT NULL,
    kind text NOT NULL,
    name jsonb NOT NULL,
    CONSTRAINT pk_askers PRIMARY KEY (organisation_id, id),
    CONSTRAINT fk_askers_ask_id
        FOREIGN KEY (organisation_id, ask_id) REFERENCES asks (organisation_id, id) ON DELETE CASCADE,
    CONSTRAINT ck_askers_kind CHECK (kind IN ('consulate', 'association', 'leader', 'peer')),
    CONSTRAINT uq_askers_ask_id_position_organisation_id UNIQUE (ask_id, position, organisation_id)
);

CREATE TABLE relays (
    organisation_id uuid NOT NULL,
    id uuid NOT NULL,
    ask_id uuid NOT NULL,
    leader_id uuid,
    parent_id uuid,
    asker_id uuid,
    code text NOT NULL,
    quota integer,
    created_at timestamptz NOT NULL,
    closed_at timestamptz,
    CONSTRAINT pk_relays PRIMARY KEY (organisation_id, id),
    CONSTRAINT fk_relays_ask_id
        FOREIGN KEY (organisation_id, ask_id) REFERENCES asks (organisation_id, id) ON DELETE CASCADE,
    CONSTRAINT fk_relays_leader_id
        FOREIGN KEY (organisation_id, leader_id) REFERENCES leaders (organisation_id, id) ON DELETE CASCADE,
    CONSTRAINT fk_relays_parent_id
        FOREIGN KEY (organisation_id, parent_id) REFERENCES relays (organisation_id, id),
    CONSTRAINT fk_relays_asker_id
        FOREIGN KEY (organisation_id, asker_id) REFERENCES askers (organisation_id, id),
    CONSTRAINT uq_relays_organisation_id_code UNIQUE (organisation_id, code)
);
CREATE INDEX ix_relays_ask_id ON relays (ask_id);
CREATE INDEX ix_relays_leader_id ON relays (leader_id)
    WHERE leader_id IS NOT NULL;
CREATE INDEX ix_relays_parent_id ON relays (parent_id)
    WHERE parent_id IS NOT NULL;

CREATE TABLE broadcasts (
    organisation_id uuid NOT NULL,
    id uuid NOT NULL,
    ask_id uuid NOT NULL,
    kind text NOT NULL,
    status text NOT NULL,
    condition jsonb NOT NULL,
    audience_id uuid,
    audience_version integer,
    send_hour smallint,
    content jsonb DEFAULT '{}' NOT NULL,
    created_at timestamptz NOT NULL,
    starts_at timestamptz NOT NULL,
    expanded_to uuid,
    paused_from text,
    finished_at timestamptz,
    CONSTRAINT pk_broadcasts PRIMARY KEY (organisation_id, id),
    CONSTRAINT fk_broadcasts_ask_id
        FOREIGN KEY (organisation_id, ask_id) REFERENCES asks (organisation_id, id) ON DELETE CASCADE,
    CONSTRAINT fk_broadcasts_audience_version
        FOREIGN KEY (organisation_id, audience_id, audience_version) REFERENCES audience_versions (organisation_id, audience_id, version),
    CONSTRAINT ck_broadcasts_kind CHECK (kind IN ('invitation', 'reminder', 'result', 'report_back')),
    CONSTRAINT ck_broadcasts_status CHECK (status IN ('opening', 'sending', 'paused', 'canceled', 'finished')),
    CONSTRAINT uq_broadcasts_ask_id_kind_id_organisation_id UNIQUE (ask_id, kind, id, organisation_id)
);
CREATE INDEX ix_broadcasts_running ON broadcasts (status)
    WHERE status IN ('opening', 'sending', 'paused');

CREATE TABLE recipients (
    organisation_id uuid NOT NULL,
    ask_id uuid NOT NULL,
    kind text NOT NULL,
    contact_id uuid NOT NULL,
    broadcast_id uuid NOT NULL,
    address_id uuid,
    channel_id uuid,
    channel_kind text,
    asker_id uuid,
    status text NOT NULL,
    reason text,
    send_at timestamptz,
    message_id uuid,
    queued_at timestamptz,
    expires_at timestamptz,
    CONSTRAINT pk_recipients PRIMARY KEY (organisation_id, ask_id, kind, contact_id),
    CONSTRAINT fk_recipients_broadcast_id
        FOREIGN KEY (organisation_id, ask_id, kind, broadcast_id) REFERENCES broadcasts (organisation_id, ask_id, kind, id) ON DELETE CASCADE,
    CONSTRAINT fk_recipients_contact_id
        FOREIGN KEY (organisation_id, contact_id) REFERENCES contacts (organisation_id, id) ON DELETE CASCADE,
    CONSTRAINT fk_recipients_asker_id
        FOREIGN KEY (organisation_id, asker_id) REFERENCES askers (organisation_id, id),
    CONSTRAINT ck_recipients_status CHECK (status IN ('waiting', 'queued', 'left_out'))
)
 WITH (fillfactor = 85);
CREATE INDEX ix_recipients_contact_id ON recipients (contact_id);
CREATE INDEX ix_recipients_waiting ON recipients (broadcast_id, channel_id, send_at)
    WHERE status = 'waiting';

CREATE TABLE group_polls (
    organisation_id uuid NOT NULL,
    id uuid NOT NULL,
    relay_id uuid NOT NULL,
    channel_id uuid NOT NULL,
    status text NOT NULL,
    language text NOT NULL,
    chat_hash bytea NOT NULL,
    chat bytea,
    poll_hash bytea,
    message text,
    tallies jsonb DEFAULT '{}' NOT NULL,
    created_at timestamptz NOT NULL,
    closed_at timestamptz,
    CONSTRAINT ck_group_polls_status CHECK (status IN ('wanted', 'posting', 'open', 'closed')),
    CONSTRAINT pk_group_polls PRIMARY KEY (organisation_id, id),
    CONSTRAINT fk_group_polls_relay_id
        FOREIGN KEY (organisation_id, relay_id) REFERENCES relays (organisation_id, id) ON DELETE CASCADE,
    CONSTRAINT fk_group_polls_channel_id
        FOREIGN KEY (organisation_id, channel_id) REFERENCES channels (organisation_id, id),
    CONSTRAINT uq_group_polls_relay_id_chat_hash UNIQUE (relay_id, chat_hash, organisation_id),
    CONSTRAINT uq_group_polls_poll_hash_organisation_id UNIQUE (poll_hash, organisation_id)
);
CREATE INDEX ix_group_polls_under_way ON group_polls (created_at)
    WHERE status IN ('wanted', 'open');

CREATE TABLE flags (
    organisation_id uuid NOT NULL,
    session_id uuid NOT NULL,
    kind text NOT NULL,
    relay_id uuid NOT NULL,
    flagged_at timestamptz NOT NULL,
    CONSTRAINT pk_flags PRIMARY KEY (organisation_id, session_id, kind),
    CONSTRAINT fk_flags_session_id
        FOREIGN KEY (organisation_id, session_id) REFERENCES flow_sessions (organisation_id, id) ON DELETE CASCADE,
    CONSTRAINT fk_flags_relay_id
        FOREIGN KEY (organisation_id, relay_id) REFERENCES relays (organisation_id, id) ON DELETE CASCADE,
    CONSTRAINT ck_flags_kind CHECK (kind IN ('velocity', 'straight_line', 'over_quota'))
);
CREATE INDEX ix_flags_relay_id ON flags (relay_id);

CREATE TABLE ballot_boxes (
    organisation_id uuid NOT NULL,
    ask_id uuid NOT NULL,
    public_key bytea NOT NULL,
    CONSTRAINT pk_ballot_boxes PRIMARY KEY (organisation_id, ask_id),
    CONSTRAINT fk_ballot_boxes_ask_id
        FOREIGN KEY (organisation_id, ask_id) REFERENCES asks (organisation_id, id) ON DELETE CASCADE
);

CREATE TABLE ballots (
    organisation_id uuid NOT NULL,
    ask_id uuid NOT NULL,
    id uuid NOT NULL,
    sealed bytea NOT NULL,
    CONSTRAINT pk_ballots PRIMARY KEY (organisation_id, ask_id, id),
    CONSTRAINT fk_ballots_ask_id
        FOREIGN KEY (organisation_id, ask_id) REFERENCES asks (organisation_id, id) ON DELETE CASCADE
);

CREATE TABLE voter_tags (
    organisation_id uuid NOT NULL,
    ask_id uuid NOT NULL,
    tag bytea NOT NULL,
    CONSTRAINT pk_voter_tags PRIMARY KEY (organisation_id, ask_id, tag),
    CONSTRAINT fk_voter_tags_ask_id
        FOREIGN KEY (organisation_id, ask_id) REFERENCES asks (organisation_id, id) ON DELETE CASCADE
);

CREATE TABLE publications (
    organisation_id uuid NOT NULL,
    ask_id uuid NOT NULL,
    number integer NOT NULL,
    final boolean NOT NULL,
    people integer NOT NULL,
    released jsonb NOT NULL,
    exact bytea NOT NULL,
    published_at timestamptz NOT NULL,
    CONSTRAINT pk_publications PRIMARY KEY (organisation_id, ask_id, number),
    CONSTRAINT fk_publications_ask_id
        FOREIGN KEY (organisation_id, ask_id) REFERENCES asks (organisation_id, id) ON DELETE CASCADE
);

CREATE TABLE text_reviews (
    organisation_id uuid NOT NULL,
    session_id uuid NOT NULL,
    question text NOT NULL,
    contact_id uuid NOT NULL,
    status text NOT NULL,
    reviewed_at timestamptz NOT NULL,
    expires_at timestamptz,
    CONSTRAINT pk_text_reviews PRIMARY KEY (organisation_id, session_id, question),
    CONSTRAINT fk_text_reviews_session_id
        FOREIGN KEY (organisation_id, contact_id, session_id) REFERENCES flow_sessions (organisation_id, contact_id, id) ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT ck_text_reviews_status CHECK (status IN ('shown', 'hidden', 'escalated'))
);

CREATE TABLE rules (
    organisation_id uuid NOT NULL,
    id uuid NOT NULL,
    ask_id uuid,
    flow text,
    origin uuid,
    name text NOT NULL,
    status text NOT NULL,
    definition jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    looked_until timestamptz NOT NULL,
    CONSTRAINT pk_rules PRIMARY KEY (organisation_id, id),
    CONSTRAINT fk_rules_organisation_id
        FOREIGN KEY (organisation_id) REFERENCES organisations (id),
    CONSTRAINT fk_rules_ask_id
        FOREIGN KEY (organisation_id, ask_id) REFERENCES asks (organisation_id, id) ON DELETE CASCADE,
    CONSTRAINT ck_rules_status CHECK (status IN ('active', 'paused', 'ended'))
);
CREATE INDEX ix_rules_ask_id ON rules (ask_id)
    WHERE ask_id IS NOT NULL;
CREATE INDEX ix_rules_active ON rules (flow, organisation_id)
    WHERE status = 'active';

CREATE TABLE firings (
    organisation_id uuid NOT NULL,
    id uuid NOT NULL,
    rule_id uuid NOT NULL,
    contact_id uuid,
    cause text NOT NULL,
    status text NOT NULL,
    reason text,
    figures jsonb NOT NULL,
    fired_at timestamptz NOT NULL,
    done_at timestamptz,
    expires_at timestamptz,
    CONSTRAINT pk_firings PRIMARY KEY (organisation_id, id),
    CONSTRAINT fk_firings_rule_id
        FOREIGN KEY (organisation_id, rule_id) REFERENCES rules (organisation_id, id) ON DELETE CASCADE,
    CONSTRAINT fk_firings_contact_id
        FOREIGN KEY (organisation_id, contact_id) REFERENCES contacts (organisation_id, id) ON DELETE CASCADE,
    CONSTRAINT ck_firings_status CHECK (status IN ('waiting', 'for_approval', 'done', 'skipped', 'refused')),
    CONSTRAINT uq_firings_rule_id_cause_organisation_id UNIQUE (rule_id, cause, organisation_id)
);
CREATE INDEX ix_firings_contact_id ON firings (contact_id)
    WHERE contact_id IS NOT NULL;

ALTER TABLE profiles ADD COLUMN monthly_cap smallint DEFAULT 2 NOT NULL;

ALTER TABLE flow_sessions ADD COLUMN ask_id uuid
    GENERATED ALWAYS AS ((origin ->> 'ask')::uuid) STORED;
CREATE INDEX ix_flow_sessions_ask ON flow_sessions (ask_id, contact_id) WHERE ask_id IS NOT NULL;
ALTER TABLE flow_sessions ADD COLUMN relay text GENERATED ALWAYS AS (origin ->> 'relay') STORED;
CREATE INDEX ix_flow_sessions_relay ON flow_sessions (relay, completed_at) WHERE relay IS NOT NULL;
CREATE INDEX ix_flow_sessions_completed ON flow_sessions (completed_at)
    WHERE completed_at IS NOT NULL;

ALTER TABLE door DROP CONSTRAINT ck_door_kind;
ALTER TABLE door ADD CONSTRAINT ck_door_kind
    CHECK (kind IN ('channel', 'api_key', 'staff', 'entry', 'member_link', 'ask', 'relay'));
