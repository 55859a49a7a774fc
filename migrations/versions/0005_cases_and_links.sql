CREATE TABLE cases (
    organisation_id uuid NOT NULL,
    id uuid NOT NULL,
    contact_id uuid NOT NULL,
    session_id uuid,
    question text,
    reason text NOT NULL,
    status text DEFAULT 'open' NOT NULL,
    staff_id uuid,
    unread integer DEFAULT 0 NOT NULL,
    opened_at timestamptz NOT NULL,
    last_message_at timestamptz NOT NULL,
    answered_at timestamptz,
    closed_at timestamptz,
    expires_at timestamptz,
    CONSTRAINT pk_cases PRIMARY KEY (organisation_id, id),
    CONSTRAINT fk_cases_contact_id
        FOREIGN KEY (organisation_id, contact_id) REFERENCES contacts (organisation_id, id) ON DELETE CASCADE,
    CONSTRAINT fk_cases_session_id
        FOREIGN KEY (organisation_id, contact_id, session_id) REFERENCES flow_sessions (organisation_id, contact_id, id) ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT fk_cases_staff_id
        FOREIGN KEY (organisation_id, staff_id) REFERENCES staff (organisation_id, id),
    CONSTRAINT ck_cases_reason
        CHECK (reason IN ('danger', 'person', 'stuck', 'stopped_message', 'follow_up')),
    CONSTRAINT ck_cases_status
        CHECK (status IN ('open', 'answered', 'closed'))
);
CREATE INDEX ix_cases_contact_id ON cases (contact_id);
CREATE UNIQUE INDEX ix_cases_not_closed ON cases (contact_id, organisation_id)
    WHERE status <> 'closed';

ALTER TABLE conversations ADD COLUMN case_id uuid;

CREATE TABLE member_links (
    organisation_id uuid NOT NULL,
    id uuid NOT NULL,
    contact_id uuid NOT NULL,
    token_hash bytea NOT NULL,
    code_hash bytea NOT NULL,
    download_hash bytea,
    language text NOT NULL,
    tries smallint DEFAULT 0 NOT NULL,
    created_at timestamptz NOT NULL,
    opened_at timestamptz,
    expires_at timestamptz NOT NULL,
    CONSTRAINT pk_member_links PRIMARY KEY (organisation_id, id),
    CONSTRAINT fk_member_links_contact_id
        FOREIGN KEY (organisation_id, contact_id) REFERENCES contacts (organisation_id, id) ON DELETE CASCADE,
    CONSTRAINT uq_member_links_token_hash_organisation_id UNIQUE (token_hash, organisation_id)
);
CREATE INDEX ix_member_links_contact_id ON member_links (contact_id);

CREATE INDEX ix_audit_events_subject_id ON audit_events (subject_id)
    WHERE subject_kind = 'contact';
