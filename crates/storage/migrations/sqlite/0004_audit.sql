-- What was done, one entry a commit; each entry's hash covers the one before it.
CREATE TABLE audit_entries (
    organisation_id BLOB NOT NULL REFERENCES organisations (id),
    -- From 1, without gaps.
    number INTEGER NOT NULL,
    at INTEGER NOT NULL,
    -- The run and the plan that it belongs to; ids only.
    cause TEXT NOT NULL,
    -- How many leaves are of details, and then how many of rows of the plan.
    details INTEGER NOT NULL,
    changes INTEGER NOT NULL,
    -- Of the leaves.
    root BLOB NOT NULL,
    -- 36 bytes each: the place (4, little end first), then the keyed digest.
    leaves BLOB NOT NULL,
    previous BLOB NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (organisation_id, number)
) STRICT;

-- Of what is no row of a plan. `facts` holds ids, words and counts; what says
-- something of a person is sealed with that person's key, what says something
-- of a setting with the organisation's.
CREATE TABLE audit_details (
    organisation_id BLOB NOT NULL,
    number INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    kind TEXT NOT NULL,
    person_id BLOB,
    facts TEXT NOT NULL,
    -- Empty once the person was erased; the digest of what stood there stays.
    sealed BLOB,
    seal BLOB,
    PRIMARY KEY (organisation_id, number, ordinal)
) STRICT;

CREATE INDEX audit_details_person ON audit_details (organisation_id, person_id) WHERE person_id IS NOT NULL;

-- The newest entry: writers take turns here.
CREATE TABLE audit_heads (
    organisation_id BLOB NOT NULL REFERENCES organisations (id),
    number INTEGER NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (organisation_id)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER audit_entries_stay BEFORE DELETE ON audit_entries
BEGIN SELECT RAISE(ABORT, 'entries of the audit log are only added'); END;
CREATE TRIGGER audit_entries_are_final BEFORE UPDATE ON audit_entries
BEGIN SELECT RAISE(ABORT, 'entries of the audit log are only added'); END;
CREATE TRIGGER audit_details_stay BEFORE DELETE ON audit_details
BEGIN SELECT RAISE(ABORT, 'details of the audit log are only added'); END;
-- Erasing a person empties what was sealed; nothing else is ever changed.
CREATE TRIGGER audit_details_are_final BEFORE UPDATE ON audit_details
WHEN NEW.sealed IS NOT NULL OR NEW.organisation_id <> OLD.organisation_id
    OR NEW.number <> OLD.number OR NEW.ordinal <> OLD.ordinal OR NEW.kind <> OLD.kind
    OR NEW.person_id IS NOT OLD.person_id OR NEW.facts <> OLD.facts OR NEW.seal IS NOT OLD.seal
BEGIN SELECT RAISE(ABORT, 'details of the audit log are only added'); END;

-- Records of erased people that the source may still speak of: keyed digests of
-- their ids, so that nobody comes back by being read again.
CREATE TABLE erased_records (
    organisation_id BLOB NOT NULL REFERENCES organisations (id),
    connection_id BLOB NOT NULL,
    digest BLOB NOT NULL,
    erased_at INTEGER NOT NULL,
    PRIMARY KEY (organisation_id, connection_id, digest)
) STRICT, WITHOUT ROWID;
