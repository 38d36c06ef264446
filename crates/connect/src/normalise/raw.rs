//! What JSON says, before it means anything.

use serde_json::Value;
use unicode_normalization::UnicodeNormalization as _;

/// JSON of a kind that holds no single value: a list, an object, true or false.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotOneValue;

/// The text of a JSON value in NFC; `None` for nothing, null and blank text.
/// Numbers are taken as they are written: some vendors send employee numbers so.
pub(super) fn text(said: Option<&Value>) -> Result<Option<String>, NotOneValue> {
    let text = match said {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text.nfc().collect(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Bool(_) | Value::Array(_) | Value::Object(_)) => return Err(NotOneValue),
    };
    Ok(Some(text).filter(|text: &String| !text.trim().is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nothing_null_and_blank_are_silence() {
        assert_eq!(text(None), Ok(None));
        for silent in [json!(null), json!(""), json!(" \u{a0}\t")] {
            assert_eq!(text(Some(&silent)), Ok(None), "{silent}");
        }
    }

    #[test]
    fn text_is_kept_as_said_in_nfc() {
        let said = json!(" A\u{30a}se ");
        assert_eq!(text(Some(&said)), Ok(Some(" Åse ".to_owned())));
        assert_eq!(text(Some(&json!(1042))), Ok(Some("1042".to_owned())));
        assert_eq!(text(Some(&json!({"id": 1}))), Err(NotOneValue));
    }
}
