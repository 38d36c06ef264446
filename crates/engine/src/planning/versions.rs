//! Under which rules a record was brought to rest.

use muster_connect::ConnectorInfo;
use muster_connect::settings::MAP_PREFIX;
use muster_storage::Connection;

/// Grows when the normaliser reads the same text another way.
const NORMALISER: u32 = 1;
/// Grows when the planner decides the same input another way.
const PLANNER: u32 = 1;

/// The version of what turns a vendor's words into fields, the connection's own
/// mappings included.
pub(crate) fn mapping(connection: &Connection, connector: &ConnectorInfo) -> String {
    let version = format!("{}.{NORMALISER}", connector.version);
    let own: Vec<&str> = (connection.settings.iter())
        .filter(|(name, _)| name.starts_with(MAP_PREFIX))
        .flat_map(|(name, value)| [name.as_str(), value.as_str()])
        .collect();
    match own.is_empty() {
        true => version,
        false => format!("{version}.{}", short_hash(&own)),
    }
}

/// The versions of connector, normaliser, planner and policy in one word: a
/// record that rests under other ones is planned anew (`engine.md`, The shortcut).
pub(crate) fn versions(connection: &Connection, connector: &ConnectorInfo) -> String {
    // The policy is written by us and holds no personal data; its JSON is its version.
    let policy = serde_json::to_string(&connection.policy).unwrap_or_default();
    let settings = serde_json::to_string(&connection.settings).unwrap_or_default();
    format!(
        "{}.{PLANNER}.{}",
        mapping(connection, connector),
        short_hash(&[&policy, &settings])
    )
}

/// FNV-1a, 64 bits: tells versions apart, keeps nothing secret, and is the same
/// on every machine and for every build.
fn short_hash(texts: &[&str]) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in texts.iter().flat_map(|text| text.bytes().chain([0])) {
        hash ^= u64::from(byte);
        hash = hash.wrapping_mul(0x0000_0100_0000_01b3);
    }
    format!("{hash:016x}")
}
