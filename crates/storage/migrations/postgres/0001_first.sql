-- Instants are microseconds since 1970 UTC, civil dates ISO text, JSON text.
-- Texts that are compared or ordered stand in collation "C", so that both
-- engines order them by their bytes.

CREATE TABLE organisations (
    id UUID PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL UNIQUE,
    region TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    -- Sealed by the master key.
    wrapped_key BYTEA NOT NULL,
    -- Sealed by the organisation's key: the key of its digests.
    wrapped_index_key BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE connections (
    organisation_id UUID NOT NULL REFERENCES organisations (id),
    id UUID NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    connector TEXT NOT NULL,
    policy TEXT NOT NULL,
    base_url TEXT,
    settings TEXT NOT NULL,
    host_settings TEXT NOT NULL,
    state TEXT NOT NULL,
    account TEXT,
    source_rank BIGINT NOT NULL,
    history TEXT NOT NULL,
    last_read_at BIGINT,
    last_confirmed_at BIGINT,
    created_at BIGINT NOT NULL,
    wrapped_key BYTEA NOT NULL,
    credentials BYTEA,
    PRIMARY KEY (organisation_id, id),
    UNIQUE (organisation_id, name)
);

CREATE TABLE runs (
    organisation_id UUID NOT NULL,
    id UUID NOT NULL,
    connection_id UUID NOT NULL,
    started_by TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    finished_at BIGINT,
    report TEXT,
    PRIMARY KEY (organisation_id, id),
    FOREIGN KEY (organisation_id, connection_id) REFERENCES connections (organisation_id, id)
);

-- One run at a time for a connection; `lease_until` is read on the database's clock.
CREATE TABLE leases (
    organisation_id UUID NOT NULL,
    connection_id UUID NOT NULL,
    run_id UUID NOT NULL,
    since BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, connection_id),
    FOREIGN KEY (organisation_id, connection_id) REFERENCES connections (organisation_id, id)
);

CREATE TABLE snapshots (
    organisation_id UUID NOT NULL,
    id UUID NOT NULL,
    connection_id UUID NOT NULL,
    run_id UUID NOT NULL,
    begun_at BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, id),
    -- So that a record cannot be seen in the snapshot of another connection.
    UNIQUE (organisation_id, connection_id, id),
    FOREIGN KEY (organisation_id, connection_id) REFERENCES connections (organisation_id, id),
    FOREIGN KEY (organisation_id, run_id) REFERENCES runs (organisation_id, id)
);

-- What every read touches, apart from the bodies, so that seeing an unchanged
-- record again writes a short row.
CREATE TABLE source_records (
    organisation_id UUID NOT NULL,
    connection_id UUID NOT NULL,
    external_id TEXT COLLATE "C" NOT NULL,
    digest BYTEA NOT NULL,
    revision BIGINT,
    seen_in UUID NOT NULL,
    settled_digest BYTEA,
    settled_versions TEXT COLLATE "C",
    rest TEXT COLLATE "C",
    due_on TEXT COLLATE "C",
    -- A record is due while the two differ: a mark set while somebody settles is not lost.
    due_marks BIGINT NOT NULL DEFAULT 0,
    due_marks_settled BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (organisation_id, connection_id, external_id)
) WITH (fillfactor = 80);

CREATE INDEX source_records_due_on ON source_records (organisation_id, due_on) WHERE due_on IS NOT NULL;

CREATE TABLE record_bodies (
    organisation_id UUID NOT NULL,
    connection_id UUID NOT NULL,
    external_id TEXT COLLATE "C" NOT NULL,
    wrapped_key BYTEA NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (organisation_id, connection_id, external_id)
);

CREATE TABLE record_keys (
    organisation_id UUID NOT NULL,
    connection_id UUID NOT NULL,
    external_id TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    digest BYTEA NOT NULL,
    PRIMARY KEY (organisation_id, connection_id, external_id, kind)
);

CREATE INDEX record_keys_digest ON record_keys (organisation_id, connection_id, kind, digest);

CREATE TABLE people (
    organisation_id UUID NOT NULL REFERENCES organisations (id),
    id UUID NOT NULL,
    fields TEXT NOT NULL,
    sealed BYTEA,
    wrapped_key BYTEA NOT NULL,
    owners TEXT NOT NULL,
    engagements TEXT NOT NULL,
    manager_id UUID,
    employment TEXT NOT NULL,
    access TEXT NOT NULL,
    access_before TEXT,
    access_cause TEXT,
    standing TEXT NOT NULL,
    version BIGINT NOT NULL,
    -- Folded, to be found by; the values themselves stand in `fields`.
    work_email TEXT COLLATE "C",
    employee_number TEXT COLLATE "C",
    -- 1 for an administrator, to be counted; the whole standing stands in `standing`.
    administrator BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, id)
);

CREATE INDEX people_work_email ON people (organisation_id, work_email) WHERE work_email IS NOT NULL;
CREATE INDEX people_employee_number ON people (organisation_id, employee_number) WHERE employee_number IS NOT NULL;
CREATE INDEX people_administrator ON people (organisation_id, access) WHERE administrator = 1;
CREATE INDEX people_manager ON people (organisation_id, manager_id, id) WHERE manager_id IS NOT NULL;

CREATE TABLE person_keys (
    organisation_id UUID NOT NULL,
    person_id UUID NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    digest BYTEA NOT NULL,
    PRIMARY KEY (organisation_id, person_id, kind)
);

CREATE INDEX person_keys_digest ON person_keys (organisation_id, kind, digest);

-- Who held a key before: an address that went from one human to another is no identity.
CREATE TABLE past_person_keys (
    organisation_id uuid NOT NULL,
    kind text NOT NULL,
    digest bytea NOT NULL,
    person_id uuid NOT NULL,
    released_at bigint NOT NULL,
    PRIMARY KEY (organisation_id, kind, digest, person_id)
);

CREATE TABLE links (
    organisation_id UUID NOT NULL,
    connection_id UUID NOT NULL,
    external_id TEXT COLLATE "C" NOT NULL,
    person_id UUID NOT NULL,
    sealed BYTEA NOT NULL,
    decisions TEXT NOT NULL,
    revision BIGINT,
    gone_since BIGINT,
    version BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, connection_id, external_id),
    FOREIGN KEY (organisation_id, connection_id) REFERENCES connections (organisation_id, id),
    FOREIGN KEY (organisation_id, person_id) REFERENCES people (organisation_id, id)
);

CREATE INDEX links_person ON links (organisation_id, person_id);

CREATE TABLE plans (
    organisation_id UUID NOT NULL,
    id UUID NOT NULL,
    connection_id UUID NOT NULL,
    run_id UUID,
    hash BYTEA NOT NULL,
    made_for TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    header TEXT NOT NULL,
    PRIMARY KEY (organisation_id, id),
    FOREIGN KEY (organisation_id, connection_id) REFERENCES connections (organisation_id, id),
    FOREIGN KEY (organisation_id, run_id) REFERENCES runs (organisation_id, id)
);

CREATE INDEX plans_connection ON plans (organisation_id, connection_id, made_at, id);

CREATE TABLE plan_rows (
    organisation_id UUID NOT NULL,
    plan_id UUID NOT NULL,
    ordinal BIGINT NOT NULL,
    -- Empty for a person without a source record.
    external_id TEXT COLLATE "C",
    person_id UUID,
    situation TEXT NOT NULL,
    reaction TEXT NOT NULL,
    -- Whose key seals the row: this person's, or, when empty, the source record's.
    sealed_person_id UUID,
    -- Empty once that human was erased.
    sealed BYTEA,
    state TEXT COLLATE "C" NOT NULL,
    error_code TEXT,
    PRIMARY KEY (organisation_id, plan_id, ordinal),
    FOREIGN KEY (organisation_id, plan_id) REFERENCES plans (organisation_id, id)
);

CREATE TABLE hold_releases (
    organisation_id UUID NOT NULL,
    connection_id UUID NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    -- The empty text stands for every row of the kind.
    external_id TEXT COLLATE "C" NOT NULL,
    plan_id UUID NOT NULL,
    released_at BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, connection_id, kind, external_id),
    FOREIGN KEY (organisation_id, plan_id) REFERENCES plans (organisation_id, id),
    FOREIGN KEY (organisation_id, connection_id) REFERENCES connections (organisation_id, id)
);

CREATE TABLE brake_passes (
    organisation_id UUID NOT NULL,
    connection_id UUID NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    passed_at BIGINT NOT NULL,
    passed_rows BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, connection_id, kind, passed_at),
    FOREIGN KEY (organisation_id, connection_id) REFERENCES connections (organisation_id, id)
);

CREATE TABLE outbox (
    organisation_id UUID NOT NULL,
    id UUID NOT NULL,
    kind TEXT NOT NULL,
    person_id UUID NOT NULL,
    sealed BYTEA NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, id),
    FOREIGN KEY (organisation_id, person_id) REFERENCES people (organisation_id, id)
);

CREATE INDEX outbox_state ON outbox (organisation_id, state, id);

CREATE TABLE erased_people (
    organisation_id UUID NOT NULL REFERENCES organisations (id),
    person_id UUID NOT NULL,
    erased_at BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, person_id)
);
