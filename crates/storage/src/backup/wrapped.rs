//! Do the organisations' keys in a backup open with the master key? The envelope
//! alone proves only that one key wrote it and reads it.

use muster_model::OrganisationId;
use uuid::Uuid;

use super::error::BackupError;
use super::shape::Shape;
use super::tuple::{Parsed, parse};
use crate::seal::{Key, MasterKey};
use crate::storage::key_place;

/// The table with the keys.
const TABLE: &str = "organisations";

/// Opens the key of every organisation in a block of rows; rows of other tables
/// are passed over.
///
/// # Errors
/// `backup.other_key`, `backup.content`.
pub(super) fn open_all(table: &Shape, block: &[u8], master: &MasterKey) -> Result<(), BackupError> {
    if table.name != TABLE {
        return Ok(());
    }
    let at = |name: &str| {
        let found = table.columns.iter().position(|column| column.name == name);
        found.ok_or_else(|| BackupError::content(format!("{TABLE} has no column {name}")))
    };
    let (id_at, key_at) = (at("id")?, at("wrapped_key")?);
    let mut rest = block;
    while !rest.is_empty() {
        let Parsed::Row(row, length) = parse(rest) else {
            return Err(BackupError::content("a block of rows is not whole"));
        };
        let value = |at: usize| row.get(at).copied().flatten();
        let id = value(id_at)
            .and_then(|bytes| Uuid::from_slice(bytes).ok())
            .map(OrganisationId::from_uuid)
            .ok_or_else(|| BackupError::content("an organisation has no id"))?;
        let opens = value(key_at)
            .and_then(|wrapped| {
                let place = key_place(id, "organisations.wrapped_key");
                master.key().open(place, wrapped).ok()
            })
            .is_some_and(|bytes| Key::from_slice(&bytes).is_some());
        if !opens {
            return Err(BackupError::OtherKey { organisation: id });
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::shape::{Column, Form};
    use crate::backup::tuple::{begin_row, push_value};
    use crate::entropy::Entropy;

    struct Counting;

    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            for (byte, value) in bytes.iter_mut().zip(1..) {
                *byte = value;
            }
        }
    }

    #[test]
    fn a_key_that_opens_the_envelope_and_no_organisation_is_told() {
        let column = |name: &str| Column {
            name: name.to_owned(),
            form: Form::Bytes,
        };
        let table = |name: &str| Shape {
            name: name.to_owned(),
            columns: ["region", "wrapped_key", "id"].map(column).to_vec(),
        };
        let master = |digit: &str| MasterKey::from_hex(&digit.repeat(64)).unwrap();
        let mut block = Vec::new();
        for number in 1..3 {
            let id = OrganisationId::from_uuid(Uuid::from_u128(number));
            let place = key_place(id, "organisations.wrapped_key");
            let key = Key::generate(&Counting);
            let wrapped = master("a").key().seal(&Counting, place, key.bytes());
            begin_row(&mut block, 3);
            push_value(&mut block, None);
            push_value(&mut block, Some(&wrapped.unwrap()));
            push_value(&mut block, Some(id.uuid().as_bytes()));
        }
        open_all(&table(TABLE), &block, &master("a")).unwrap();
        let error = open_all(&table(TABLE), &block, &master("b")).unwrap_err();
        assert!(error.to_string().starts_with("backup.other_key"), "{error}");
        open_all(&table("people"), &block, &master("b")).unwrap();
    }
}
