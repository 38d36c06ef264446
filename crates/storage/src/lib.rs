//! Repositories over SQLite and PostgreSQL, migrations, sealing.
