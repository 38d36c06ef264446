-- What people decided about records: who it is, and what may be done of what is held.
-- A release now says what it is about, so that it does not release anything else.
DROP TABLE hold_releases;

CREATE TABLE record_decisions (
    organisation_id UUID NOT NULL,
    connection_id UUID NOT NULL,
    external_id TEXT COLLATE "C" NOT NULL,
    -- `match`, or the kind of hold.
    matter TEXT COLLATE "C" NOT NULL,
    answer TEXT NOT NULL,
    -- Whom the answer names.
    person_id UUID,
    -- Keyed digest of what was decided about.
    about BYTEA NOT NULL,
    plan_id UUID,
    decided_at BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, connection_id, external_id, matter),
    FOREIGN KEY (organisation_id, connection_id) REFERENCES connections (organisation_id, id),
    FOREIGN KEY (organisation_id, person_id) REFERENCES people (organisation_id, id),
    FOREIGN KEY (organisation_id, plan_id) REFERENCES plans (organisation_id, id)
);

CREATE INDEX record_decisions_person ON record_decisions (organisation_id, person_id) WHERE person_id IS NOT NULL;
