CREATE TABLE link_codes (
    organisation_id uuid NOT NULL,
    id uuid NOT NULL,
    contact_id uuid NOT NULL,
    claimant_id uuid,
    code_hash bytea NOT NULL,
    tries smallint DEFAULT 0 NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT pk_link_codes PRIMARY KEY (organisation_id, id),
    CONSTRAINT fk_link_codes_contact_id
        FOREIGN KEY (organisation_id, contact_id) REFERENCES contacts (organisation_id, id) ON DELETE CASCADE,
    CONSTRAINT fk_link_codes_claimant_id
        FOREIGN KEY (organisation_id, claimant_id) REFERENCES contacts (organisation_id, id) ON DELETE CASCADE,
    CONSTRAINT uq_link_codes_code_hash_organisation_id UNIQUE (code_hash, organisation_id)
);
CREATE INDEX ix_link_codes_contact_id ON link_codes (contact_id);
CREATE INDEX ix_link_codes_claimant_id ON link_codes (claimant_id) WHERE claimant_id IS NOT NULL;

CREATE TABLE link_tries (
    organisation_id uuid NOT NULL,
    id uuid NOT NULL,
    contact_id uuid NOT NULL,
    tried_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT pk_link_tries PRIMARY KEY (organisation_id, id),
    CONSTRAINT fk_link_tries_contact_id
        FOREIGN KEY (organisation_id, contact_id) REFERENCES contacts (organisation_id, id) ON DELETE CASCADE
);
CREATE INDEX ix_link_tries_contact_id ON link_tries (contact_id);
CREATE INDEX ix_link_tries_tried_at ON link_tries (tried_at);
