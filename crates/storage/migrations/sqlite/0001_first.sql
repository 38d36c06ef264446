-- Instants are microseconds since 1970 UTC, civil dates ISO text, JSON text.

CREATE TABLE organisations (
    id BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    region TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    -- Sealed by the master key.
    wrapped_key BLOB NOT NULL,
    -- Sealed by the organisation's key: the key of its digests.
    wrapped_index_key BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE connections (
    organisation_id BLOB NOT NULL REFERENCES organisations (id),
    id BLOB NOT NULL,
    name TEXT NOT NULL,
    connector TEXT NOT NULL,
    policy TEXT NOT NULL,
    base_url TEXT,
    settings TEXT NOT NULL,
    host_settings TEXT NOT NULL,
    state TEXT NOT NULL,
    account TEXT,
    source_rank INTEGER NOT NULL,
    history TEXT NOT NULL,
    last_read_at INTEGER,
    last_confirmed_at INTEGER,
    created_at INTEGER NOT NULL,
    wrapped_key BLOB NOT NULL,
    credentials BLOB,
    PRIMARY KEY (organisation_id, id),
    UNIQUE (organisation_id, name)
) STRICT;

CREATE TABLE runs (
    organisation_id BLOB NOT NULL,
    id BLOB NOT NULL,
    connection_id BLOB NOT NULL,
    started_by TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    finished_at INTEGER,
    report TEXT,
    PRIMARY KEY (organisation_id, id),
    FOREIGN KEY (organisation_id, connection_id) REFERENCES connections (organisation_id, id)
) STRICT;

-- One run at a time for a connection; `lease_until` is read on the database's clock.
CREATE TABLE leases (
    organisation_id BLOB NOT NULL,
    connection_id BLOB NOT NULL,
    run_id BLOB NOT NULL,
    since INTEGER NOT NULL,
    lease_until INTEGER NOT NULL,
    PRIMARY KEY (organisation_id, connection_id),
    FOREIGN KEY (organisation_id, connection_id) REFERENCES connections (organisation_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE snapshots (
    organisation_id BLOB NOT NULL,
    id BLOB NOT NULL,
    connection_id BLOB NOT NULL,
    run_id BLOB NOT NULL,
    begun_at INTEGER NOT NULL,
    PRIMARY KEY (organisation_id, id),
    -- So that a record cannot be seen in the snapshot of another connection.
    UNIQUE (organisation_id, connection_id, id),
    FOREIGN KEY (organisation_id, connection_id) REFERENCES connections (organisation_id, id),
    FOREIGN KEY (organisation_id, run_id) REFERENCES runs (organisation_id, id)
) STRICT;

-- What every read touches, apart from the bodies, so that seeing an unchanged
-- record again writes a short row.
CREATE TABLE source_records (
    organisation_id BLOB NOT NULL,
    connection_id BLOB NOT NULL,
    external_id TEXT NOT NULL,
    digest BLOB NOT NULL,
    revision INTEGER,
    seen_in BLOB NOT NULL,
    settled_digest BLOB,
    settled_versions TEXT,
    rest TEXT,
    due_on TEXT,
    -- A record is due while the two differ: a mark set while somebody settles is not lost.
    due_marks INTEGER NOT NULL DEFAULT 0,
    due_marks_settled INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (organisation_id, connection_id, external_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX source_records_due_on ON source_records (organisation_id, due_on) WHERE due_on IS NOT NULL;

CREATE TABLE record_bodies (
    organisation_id BLOB NOT NULL,
    connection_id BLOB NOT NULL,
    external_id TEXT NOT NULL,
    wrapped_key BLOB NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (organisation_id, connection_id, external_id)
) STRICT;

CREATE TABLE record_keys (
    organisation_id BLOB NOT NULL,
    connection_id BLOB NOT NULL,
    external_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    digest BLOB NOT NULL,
    PRIMARY KEY (organisation_id, connection_id, external_id, kind)
) STRICT, WITHOUT ROWID;

CREATE INDEX record_keys_digest ON record_keys (organisation_id, connection_id, kind, digest);

CREATE TABLE people (
    organisation_id BLOB NOT NULL REFERENCES organisations (id),
    id BLOB NOT NULL,
    fields TEXT NOT NULL,
    sealed BLOB,
    wrapped_key BLOB NOT NULL,
    owners TEXT NOT NULL,
    engagements TEXT NOT NULL,
    manager_id BLOB,
    employment TEXT NOT NULL,
    access TEXT NOT NULL,
    access_before TEXT,
    access_cause TEXT,
    standing TEXT NOT NULL,
    version INTEGER NOT NULL,
    -- Folded, to be found by; the values themselves stand in `fields`.
    work_email TEXT,
    employee_number TEXT,
    -- 1 for an administrator, to be counted; the whole standing stands in `standing`.
    administrator INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (organisation_id, id)
) STRICT;

CREATE INDEX people_work_email ON people (organisation_id, work_email) WHERE work_email IS NOT NULL;
CREATE INDEX people_employee_number ON people (organisation_id, employee_number) WHERE employee_number IS NOT NULL;
CREATE INDEX people_administrator ON people (organisation_id, access) WHERE administrator = 1;
CREATE INDEX people_manager ON people (organisation_id, manager_id, id) WHERE manager_id IS NOT NULL;

CREATE TABLE person_keys (
    organisation_id BLOB NOT NULL,
    person_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    digest BLOB NOT NULL,
    PRIMARY KEY (organisation_id, person_id, kind)
) STRICT, WITHOUT ROWID;

CREATE INDEX person_keys_digest ON person_keys (organisation_id, kind, digest);

-- Who held a key before: an address that went from one human to another is no identity.
CREATE TABLE past_person_keys (
    organisation_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    digest BLOB NOT NULL,
    person_id BLOB NOT NULL,
    released_at INTEGER NOT NULL,
    PRIMARY KEY (organisation_id, kind, digest, person_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE links (
    organisation_id BLOB NOT NULL,
    connection_id BLOB NOT NULL,
    external_id TEXT NOT NULL,
    person_id BLOB NOT NULL,
    sealed BLOB NOT NULL,
    decisions TEXT NOT NULL,
    revision INTEGER,
    gone_since INTEGER,
    version INTEGER NOT NULL,
    PRIMARY KEY (organisation_id, connection_id, external_id),
    FOREIGN KEY (organisation_id, connection_id) REFERENCES connections (organisation_id, id),
    FOREIGN KEY (organisation_id, person_id) REFERENCES people (organisation_id, id)
) STRICT;

CREATE INDEX links_person ON links (organisation_id, person_id);

CREATE TABLE plans (
    organisation_id BLOB NOT NULL,
    id BLOB NOT NULL,
    connection_id BLOB NOT NULL,
    run_id BLOB,
    hash BLOB NOT NULL,
    made_for TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    header TEXT NOT NULL,
    PRIMARY KEY (organisation_id, id),
    FOREIGN KEY (organisation_id, connection_id) REFERENCES connections (organisation_id, id),
    FOREIGN KEY (organisation_id, run_id) REFERENCES runs (organisation_id, id)
) STRICT;

CREATE INDEX plans_connection ON plans (organisation_id, connection_id, made_at, id);

CREATE TABLE plan_rows (
    organisation_id BLOB NOT NULL,
    plan_id BLOB NOT NULL,
    ordinal INTEGER NOT NULL,
    -- Empty for a person without a source record.
    external_id TEXT,
    person_id BLOB,
    situation TEXT NOT NULL,
    reaction TEXT NOT NULL,
    -- Whose key seals the row: this person's, or, when empty, the source record's.
    sealed_person_id BLOB,
    -- Empty once that human was erased.
    sealed BLOB,
    state TEXT NOT NULL,
    error_code TEXT,
    PRIMARY KEY (organisation_id, plan_id, ordinal),
    FOREIGN KEY (organisation_id, plan_id) REFERENCES plans (organisation_id, id)
) STRICT;

CREATE TABLE hold_releases (
    organisation_id BLOB NOT NULL,
    connection_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    -- The empty text stands for every row of the kind.
    external_id TEXT NOT NULL,
    plan_id BLOB NOT NULL,
    released_at INTEGER NOT NULL,
    PRIMARY KEY (organisation_id, connection_id, kind, external_id),
    FOREIGN KEY (organisation_id, plan_id) REFERENCES plans (organisation_id, id),
    FOREIGN KEY (organisation_id, connection_id) REFERENCES connections (organisation_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE brake_passes (
    organisation_id BLOB NOT NULL,
    connection_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    passed_at INTEGER NOT NULL,
    passed_rows INTEGER NOT NULL,
    PRIMARY KEY (organisation_id, connection_id, kind, passed_at),
    FOREIGN KEY (organisation_id, connection_id) REFERENCES connections (organisation_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
    organisation_id BLOB NOT NULL,
    id BLOB NOT NULL,
    kind TEXT NOT NULL,
    person_id BLOB NOT NULL,
    sealed BLOB NOT NULL,
    state TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (organisation_id, id),
    FOREIGN KEY (organisation_id, person_id) REFERENCES people (organisation_id, id)
) STRICT;

CREATE INDEX outbox_state ON outbox (organisation_id, state, id);

CREATE TABLE erased_people (
    organisation_id BLOB NOT NULL REFERENCES organisations (id),
    person_id BLOB NOT NULL,
    erased_at INTEGER NOT NULL,
    PRIMARY KEY (organisation_id, person_id)
) STRICT, WITHOUT ROWID;
