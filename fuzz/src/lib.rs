//! Fuzz targets: plain functions that take any bytes and must neither panic nor
//! break what they promise. A test drives each with its stored corpus and with
//! changed copies of it; `fuzz/libfuzzer` hands the same functions to cargo-fuzz.

mod diff;
mod reading;

pub use diff::diff;
pub use reading::{csv, ndjson};

/// A target by its name, which is that of its corpus' folder too.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 4] = [
    ("csv", csv),
    ("ndjson", ndjson),
    ("diff", diff),
    ("manifest", manifest),
];

/// A connector's manifest: any text gives problems with a place, or none.
pub fn manifest(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = muster_connect::manifest::check_manifest(text);
    }
}
