-- What was done, one entry a commit; each entry's hash covers the one before it.
CREATE TABLE audit_entries (
    organisation_id UUID NOT NULL REFERENCES organisations (id),
    -- From 1, without gaps.
    number BIGINT NOT NULL,
    at BIGINT NOT NULL,
    -- The run and the plan that it belongs to; ids only.
    cause TEXT COLLATE "C" NOT NULL,
    -- How many leaves are of details, and then how many of rows of the plan.
    details BIGINT NOT NULL,
    changes BIGINT NOT NULL,
    -- Of the leaves.
    root BYTEA NOT NULL,
    -- 36 bytes each: the place (4, little end first), then the keyed digest.
    leaves BYTEA NOT NULL,
    previous BYTEA NOT NULL,
    hash BYTEA NOT NULL,
    PRIMARY KEY (organisation_id, number)
);

-- Of what is no row of a plan. `facts` holds ids, words and counts; what says
-- something of a person is sealed with that person's key, what says something
-- of a setting with the organisation's.
CREATE TABLE audit_details (
    organisation_id UUID NOT NULL,
    number BIGINT NOT NULL,
    ordinal BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    person_id UUID,
    facts TEXT COLLATE "C" NOT NULL,
    -- Empty once the person was erased; the digest of what stood there stays.
    sealed BYTEA,
    seal BYTEA,
    PRIMARY KEY (organisation_id, number, ordinal)
);

CREATE INDEX audit_details_person ON audit_details (organisation_id, person_id) WHERE person_id IS NOT NULL;

-- The newest entry: writers take turns here.
CREATE TABLE audit_heads (
    organisation_id UUID NOT NULL REFERENCES organisations (id),
    number BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    PRIMARY KEY (organisation_id)
);

CREATE FUNCTION audit_is_only_added() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'the audit log is only added to'; END;
$$;
CREATE TRIGGER audit_entries_are_final BEFORE UPDATE OR DELETE ON audit_entries
    FOR EACH ROW EXECUTE FUNCTION audit_is_only_added();
CREATE TRIGGER audit_entries_stay BEFORE TRUNCATE ON audit_entries
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_only_added();
CREATE TRIGGER audit_details_stay BEFORE DELETE ON audit_details
    FOR EACH ROW EXECUTE FUNCTION audit_is_only_added();
CREATE TRIGGER audit_details_stay_all BEFORE TRUNCATE ON audit_details
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_only_added();
-- Erasing a person empties what was sealed; nothing else is ever changed.
CREATE TRIGGER audit_details_are_final BEFORE UPDATE ON audit_details
    FOR EACH ROW WHEN (NEW.sealed IS NOT NULL OR NEW.organisation_id <> OLD.organisation_id
        OR NEW.number <> OLD.number OR NEW.ordinal <> OLD.ordinal OR NEW.kind <> OLD.kind
        OR NEW.person_id IS DISTINCT FROM OLD.person_id OR NEW.facts <> OLD.facts
        OR NEW.seal IS DISTINCT FROM OLD.seal)
    EXECUTE FUNCTION audit_is_only_added();

-- Records of erased people that the source may still speak of: keyed digests of
-- their ids, so that nobody comes back by being read again.
CREATE TABLE erased_records (
    organisation_id UUID NOT NULL REFERENCES organisations (id),
    connection_id UUID NOT NULL,
    digest BYTEA NOT NULL,
    erased_at BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, connection_id, digest)
);

-- Statistics are samples of values in a place that erasing does not reach.
ALTER TABLE people ALTER COLUMN fields SET STATISTICS 0,
    ALTER COLUMN engagements SET STATISTICS 0,
    ALTER COLUMN work_email SET STATISTICS 0,
    ALTER COLUMN employee_number SET STATISTICS 0,
    ALTER COLUMN standing SET STATISTICS 0;
