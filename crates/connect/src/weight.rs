//! How much a tree holds.

use serde_json::Value as Json;

/// Bytes beside the text of a value or name.
const OF_ONE: usize = 16;

/// About how many bytes of text a tree is made of.
pub(crate) fn weight(tree: &Json) -> usize {
    match tree {
        Json::String(text) => OF_ONE + text.len(),
        Json::Array(list) => OF_ONE + list.iter().map(weight).sum::<usize>(),
        Json::Object(map) => {
            let members = (map.iter()).map(|(name, value)| OF_ONE + name.len() + weight(value));
            OF_ONE + members.sum::<usize>()
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => OF_ONE,
    }
}
