//! Atom, in which the vendor answers whoever does not ask for JSON, and the
//! document that describes the service.

use quick_xml::escape::escape;
use serde_json::Value;

use crate::wire::{Answer, WireRequest};

use super::schema::{ENTITIES, Entity, Kind};

pub(super) const XML: &str = "application/xml; charset=utf-8";
const ATOM: &str = "application/atom+xml; charset=utf-8";
pub(super) const METADATA: &str = "http://schemas.microsoft.com/ado/2007/08/dataservices/metadata";
const DATA: &str = "http://schemas.microsoft.com/ado/2007/08/dataservices";

/// Rows as a feed; navigations are links only.
pub(super) fn feed(
    request: &WireRequest,
    entity: &Entity,
    rows: &[Value],
    next: Option<&str>,
) -> Answer {
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><feed xmlns=\"http://www.w3.org/2005/Atom\" \
         xmlns:m=\"{METADATA}\" xmlns:d=\"{DATA}\"><title type=\"text\">{}</title><id>{}</id>",
        entity.name,
        escape(format!("{}{}", request.origin(), request.path_as_sent))
    );
    for row in rows {
        text.push_str(&entry_text(entity, row, ""));
    }
    if let Some(next) = next {
        text.push_str(&format!("<link rel=\"next\" href=\"{}\"/>", escape(next)));
    }
    text.push_str("</feed>");
    Answer::text(200, ATOM, text)
}

/// One row.
pub(super) fn entry(_: &WireRequest, entity: &Entity, row: &Value) -> Answer {
    let spaces =
        format!(" xmlns=\"http://www.w3.org/2005/Atom\" xmlns:m=\"{METADATA}\" xmlns:d=\"{DATA}\"");
    let entry = entry_text(entity, row, &spaces);
    Answer::text(
        200,
        ATOM,
        format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>{entry}"),
    )
}

fn entry_text(entity: &Entity, row: &Value, spaces: &str) -> String {
    let uri = row
        .pointer("/__metadata/uri")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let mut text = format!(
        "<entry{spaces}><id>{}</id><content type=\"application/xml\"><m:properties>",
        escape(uri)
    );
    for (name, kind) in entity.properties() {
        let Some(value) = row.get(name) else { continue };
        match value {
            Value::Null => text.push_str(&format!("<d:{name} m:null=\"true\"/>")),
            value => {
                let said = match (value, kind) {
                    (Value::String(said), Kind::Day | Kind::Stamp) => moment(said, kind),
                    (Value::String(said), _) => said.clone(),
                    (value, _) => value.to_string(),
                };
                text.push_str(&format!("<d:{name}>{}</d:{name}>", escape(said)));
            }
        }
    }
    text.push_str("</m:properties></content></entry>");
    text
}

/// A day of JSON as XML has it.
fn moment(said: &str, kind: Kind) -> String {
    let milliseconds = said
        .trim_start_matches("/Date(")
        .trim_end_matches(")/")
        .trim_end_matches("+0000");
    let day = (milliseconds.parse().ok())
        .and_then(|milliseconds| jiff::Timestamp::from_millisecond(milliseconds).ok())
        .map(|moment| moment.to_zoned(jiff::tz::TimeZone::UTC).date());
    match (day, kind) {
        (Some(day), Kind::Stamp) => format!("{day}T00:00:00Z"),
        (Some(day), _) => format!("{day}T00:00:00.000"),
        (None, _) => said.to_owned(),
    }
}

/// What the service offers: entities, properties and navigations.
pub(super) fn metadata_document() -> String {
    let mut types = String::new();
    let mut sets = String::new();
    for entity in ENTITIES {
        types.push_str(&format!("<EntityType Name=\"{}\"><Key>", entity.name));
        for key in entity.keys {
            types.push_str(&format!("<PropertyRef Name=\"{key}\"/>"));
        }
        types.push_str("</Key>");
        for (name, kind) in entity.properties() {
            let kind = match kind {
                Kind::Text => "Edm.String",
                Kind::Day => "Edm.DateTime",
                Kind::Stamp => "Edm.DateTimeOffset",
                Kind::Number => "Edm.Double",
                Kind::Long => "Edm.Int64",
                Kind::Count => "Edm.Int32",
                Kind::Flag => "Edm.Boolean",
            };
            let is_nullable = !entity.keys.contains(&name);
            types.push_str(&format!(
                "<Property Name=\"{name}\" Type=\"{kind}\" Nullable=\"{is_nullable}\"/>"
            ));
        }
        for way in entity.navigations {
            types.push_str(&format!(
                "<NavigationProperty Name=\"{0}\" Relationship=\"SFOData.{1}_{0}\" \
                 FromRole=\"{1}\" ToRole=\"{2}\"/>",
                way.name, entity.name, way.target
            ));
        }
        types.push_str("</EntityType>");
        sets.push_str(&format!(
            "<EntitySet Name=\"{0}\" EntityType=\"SFOData.{0}\"/>",
            entity.name
        ));
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><edmx:Edmx Version=\"1.0\" \
         xmlns:edmx=\"http://schemas.microsoft.com/ado/2007/06/edmx\"><edmx:DataServices \
         m:DataServiceVersion=\"2.0\" xmlns:m=\"{METADATA}\"><Schema Namespace=\"SFOData\" \
         xmlns=\"http://schemas.microsoft.com/ado/2008/09/edm\">{types}<EntityContainer \
         Name=\"EntityContainer\" m:IsDefaultEntityContainer=\"true\">{sets}</EntityContainer>\
         </Schema></edmx:DataServices></edmx:Edmx>"
    )
}
