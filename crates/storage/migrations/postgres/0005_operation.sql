-- What belongs to the installation as a whole: one row.
CREATE TABLE installation (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    -- Counts rotations of the master key. Whoever wraps with that key writes this row
    -- first, so that nothing is wrapped with the old key while it is rotated.
    key_version BIGINT NOT NULL,
    key_rotated_at BIGINT,
    -- When a backup was restored here, and when that backup had been made.
    restored_at BIGINT,
    restored_from BIGINT,
    -- When a person let outward work go on after it.
    confirmed_at BIGINT
);

INSERT INTO installation (id, key_version) VALUES (1, 1);

-- A human's sign-in. Belongs to the installation and holds no HR data.
CREATE TABLE accounts (
    id UUID PRIMARY KEY,
    -- Folded: one account an address, whatever its case.
    address TEXT COLLATE "C" NOT NULL UNIQUE,
    password_hash TEXT,
    created_at BIGINT NOT NULL
);

-- One-time links to set a password: the digest of what was printed once.
CREATE TABLE account_links (
    digest BYTEA PRIMARY KEY,
    account_id UUID NOT NULL REFERENCES accounts (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);

CREATE INDEX account_links_account ON account_links (account_id);

-- An account's right to enter one organisation.
CREATE TABLE account_access (
    organisation_id UUID NOT NULL REFERENCES organisations (id),
    account_id UUID NOT NULL REFERENCES accounts (id),
    role TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, account_id)
);

-- What programs sign in with: the digest of what was printed once.
CREATE TABLE tokens (
    organisation_id UUID NOT NULL REFERENCES organisations (id),
    id UUID NOT NULL,
    digest BYTEA NOT NULL UNIQUE,
    -- JSON list of words.
    scopes TEXT NOT NULL,
    -- Bound to one connection, or to none.
    connection_id UUID,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT,
    PRIMARY KEY (organisation_id, id),
    FOREIGN KEY (organisation_id, connection_id) REFERENCES connections (organisation_id, id)
);
