CREATE TABLE recordings (
    organisation_id uuid NOT NULL,
    id uuid NOT NULL,
    contact_id uuid NOT NULL,
    session_id uuid NOT NULL,
    question text NOT NULL,
    channel_kind text NOT NULL,
    content_type text NOT NULL,
    size integer NOT NULL,
    sealed bytea NOT NULL,
    said_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT pk_recordings PRIMARY KEY (organisation_id, id),
    CONSTRAINT fk_recordings_contact_id
        FOREIGN KEY (organisation_id, contact_id) REFERENCES contacts (organisation_id, id) ON DELETE CASCADE,
    CONSTRAINT fk_recordings_session_id
        FOREIGN KEY (organisation_id, contact_id, session_id) REFERENCES flow_sessions (organisation_id, contact_id, id) ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX ix_recordings_contact_id ON recordings (contact_id);
CREATE INDEX ix_recordings_expires_at ON recordings (expires_at);

ALTER TABLE cases DROP CONSTRAINT ck_cases_reason;
ALTER TABLE cases ADD CONSTRAINT ck_cases_reason
    CHECK (reason IN ('danger', 'person', 'stuck', 'stopped_message', 'voice', 'follow_up'));
