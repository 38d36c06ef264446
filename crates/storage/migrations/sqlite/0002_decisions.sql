-- What people decided about records: who it is, and what may be done of what is held.
-- A release now says what it is about, so that it does not release anything else.
DROP TABLE hold_releases;

CREATE TABLE record_decisions (
    organisation_id BLOB NOT NULL,
    connection_id BLOB NOT NULL,
    external_id TEXT NOT NULL,
    -- `match`, or the kind of hold.
    matter TEXT NOT NULL,
    answer TEXT NOT NULL,
    -- Whom the answer names.
    person_id BLOB,
    -- Keyed digest of what was decided about.
    about BLOB NOT NULL,
    plan_id BLOB,
    decided_at INTEGER NOT NULL,
    PRIMARY KEY (organisation_id, connection_id, external_id, matter),
    FOREIGN KEY (organisation_id, connection_id) REFERENCES connections (organisation_id, id),
    FOREIGN KEY (organisation_id, person_id) REFERENCES people (organisation_id, id),
    FOREIGN KEY (organisation_id, plan_id) REFERENCES plans (organisation_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX record_decisions_person ON record_decisions (organisation_id, person_id) WHERE person_id IS NOT NULL;
