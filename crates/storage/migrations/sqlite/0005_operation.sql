-- What belongs to the installation as a whole: one row.
CREATE TABLE installation (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    -- Counts rotations of the master key. Whoever wraps with that key writes this row
    -- first, so that nothing is wrapped with the old key while it is rotated.
    key_version INTEGER NOT NULL,
    key_rotated_at INTEGER,
    -- When a backup was restored here, and when that backup had been made.
    restored_at INTEGER,
    restored_from INTEGER,
    -- When a person let outward work go on after it.
    confirmed_at INTEGER
) STRICT;

INSERT INTO installation (id, key_version) VALUES (1, 1);

-- A human's sign-in. Belongs to the installation and holds no HR data.
CREATE TABLE accounts (
    id BLOB NOT NULL PRIMARY KEY,
    -- Folded: one account an address, whatever its case.
    address TEXT NOT NULL UNIQUE,
    password_hash TEXT,
    created_at INTEGER NOT NULL
) STRICT;

-- One-time links to set a password: the digest of what was printed once.
CREATE TABLE account_links (
    digest BLOB NOT NULL PRIMARY KEY,
    account_id BLOB NOT NULL REFERENCES accounts (id),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER
) STRICT;

CREATE INDEX account_links_account ON account_links (account_id);

-- An account's right to enter one organisation.
CREATE TABLE account_access (
    organisation_id BLOB NOT NULL REFERENCES organisations (id),
    account_id BLOB NOT NULL REFERENCES accounts (id),
    role TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (organisation_id, account_id)
) STRICT;

-- What programs sign in with: the digest of what was printed once.
CREATE TABLE tokens (
    organisation_id BLOB NOT NULL REFERENCES organisations (id),
    id BLOB NOT NULL,
    digest BLOB NOT NULL UNIQUE,
    -- JSON list of words.
    scopes TEXT NOT NULL,
    -- Bound to one connection, or to none.
    connection_id BLOB,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER,
    PRIMARY KEY (organisation_id, id),
    FOREIGN KEY (organisation_id, connection_id) REFERENCES connections (organisation_id, id)
) STRICT;
