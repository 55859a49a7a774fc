CREATE TABLE wa_templates (
    organisation_id uuid NOT NULL,
    channel_id uuid NOT NULL,
    name text NOT NULL,
    language text NOT NULL,
    digest bytea NOT NULL,
    sid text NOT NULL,
    status text NOT NULL,
    reason text,
    created_at timestamptz NOT NULL,
    checked_at timestamptz NOT NULL,
    CONSTRAINT pk_wa_templates PRIMARY KEY (organisation_id, channel_id, name, language, digest),
    CONSTRAINT fk_wa_templates_channel_id
        FOREIGN KEY (organisation_id, channel_id) REFERENCES channels (organisation_id, id) ON DELETE CASCADE,
    CONSTRAINT ck_wa_templates_status
        CHECK (status IN ('draft', 'submitted', 'approved', 'rejected', 'paused'))
);

CREATE TABLE webhook_endpoints (
    organisation_id uuid NOT NULL,
    id uuid NOT NULL,
    url text NOT NULL,
    secret bytea NOT NULL,
    previous_secret bytea,
    previous_until timestamptz,
    events text[] NOT NULL,
    status text NOT NULL,
    reason text,
    failing_since timestamptz,
    created_at timestamptz NOT NULL,
    CONSTRAINT pk_webhook_endpoints PRIMARY KEY (organisation_id, id),
    CONSTRAINT fk_webhook_endpoints_organisation_id
        FOREIGN KEY (organisation_id) REFERENCES organisations (id),
    CONSTRAINT ck_webhook_endpoints_status
        CHECK (status IN ('active', 'disabled'))
);

CREATE TABLE webhook_deliveries (
    organisation_id uuid NOT NULL,
    id uuid NOT NULL,
    endpoint_id uuid NOT NULL,
    contact_id uuid,
    event uuid NOT NULL,
    kind text NOT NULL,
    payload jsonb NOT NULL,
    status text NOT NULL,
    attempts smallint DEFAULT 0 NOT NULL,
    next_try_at timestamptz,
    last_status smallint,
    response_ms integer,
    error_code text,
    created_at timestamptz NOT NULL,
    delivered_at timestamptz,
    expires_at timestamptz NOT NULL,
    CONSTRAINT pk_webhook_deliveries PRIMARY KEY (organisation_id, id),
    CONSTRAINT fk_webhook_deliveries_endpoint_id
        FOREIGN KEY (organisation_id, endpoint_id) REFERENCES webhook_endpoints (organisation_id, id) ON DELETE CASCADE,
    CONSTRAINT fk_webhook_deliveries_contact_id
        FOREIGN KEY (organisation_id, contact_id) REFERENCES contacts (organisation_id, id) ON DELETE CASCADE,
    CONSTRAINT ck_webhook_deliveries_status
        CHECK (status IN ('waiting', 'delivered', 'failed'))
);
CREATE INDEX ix_webhook_deliveries_waiting ON webhook_deliveries (endpoint_id, next_try_at)
    WHERE status = 'waiting';
CREATE INDEX ix_webhook_deliveries_endpoint_id_id ON webhook_deliveries (endpoint_id, id);
CREATE INDEX ix_webhook_deliveries_contact_id ON webhook_deliveries (contact_id);
CREATE INDEX ix_webhook_deliveries_expires_at ON webhook_deliveries USING brin (expires_at);
