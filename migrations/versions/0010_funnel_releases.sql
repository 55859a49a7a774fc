CREATE TABLE funnel_releases (
    organisation_id uuid NOT NULL,
    flow text NOT NULL,
    released jsonb NOT NULL,
    exact bytea NOT NULL,
    published_at timestamptz NOT NULL,
    CONSTRAINT pk_funnel_releases PRIMARY KEY (organisation_id, flow),
    CONSTRAINT fk_funnel_releases_organisation_id
        FOREIGN KEY (organisation_id) REFERENCES organisations (id)
);
