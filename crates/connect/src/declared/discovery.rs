//! Which fields the vendor has for this company.

use serde::Serialize;
use serde_json::Value as Json;

use super::compiled::CompiledDiscovery;
use super::reading::id;
use super::vendor::{Variables, Vendor};
use crate::error::ConnectError;

/// A field of the vendor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VendorField {
    /// The name by which it is asked for and stands in rows.
    pub name: String,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// What kind of field it is, in the vendor's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

/// Asks for them.
pub(super) async fn fields(
    vendor: &Vendor,
    discovery: &CompiledDiscovery,
) -> Result<Vec<VendorField>, ConnectError> {
    let answer = vendor
        .call(&discovery.request, &Variables::default(), None)
        .await?;
    let Some(Json::Array(rows)) = discovery.rows.find(&answer.json) else {
        return Err(vendor
            .refusals
            .unexpected("the answer holds no list of fields", &answer));
    };
    let text = |pointer: &Option<crate::pointer::Pointer>, row: &Json| {
        pointer.as_ref().and_then(|pointer| id(pointer.find(row)?))
    };
    Ok((rows.iter())
        .filter_map(|row| {
            let name = discovery
                .name
                .iter()
                .find_map(|pointer| id(pointer.find(row)?))?;
            Some(VendorField {
                name,
                label: text(&discovery.label, row),
                kind: text(&discovery.kind, row),
            })
        })
        .collect())
}
