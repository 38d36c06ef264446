//! The connector engine and the connectors: how to talk to each HR system.
