//! Absent, null or a value: three different things a source can say.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What a source says about one field.
///
/// *Absent* means that it does not say; *null* that it says there is none.
/// Put `#[serde(default, skip_serializing_if = "Said::is_absent")]` on a field
/// of this type, so that absence survives a round trip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Said<T> {
    /// The source does not say.
    #[default]
    Absent,
    /// The source says that there is none.
    Null,
    /// The source says this.
    Value(T),
}

impl<T> Said<T> {
    /// Does the source keep silent?
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// Does it say that there is none?
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The value, if there is one.
    pub const fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Null => None,
        }
    }

    /// The value by itself, if there is one.
    pub fn into_value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Null => None,
        }
    }

    /// The same statement about a borrowed value.
    pub const fn as_ref(&self) -> Said<&T> {
        match self {
            Self::Absent => Said::Absent,
            Self::Null => Said::Null,
            Self::Value(value) => Said::Value(value),
        }
    }

    /// Changes the value, keeps absence and null.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Said<U> {
        match self {
            Self::Absent => Said::Absent,
            Self::Null => Said::Null,
            Self::Value(value) => Said::Value(change(value)),
        }
    }

    /// This statement, or the other one where this is silent.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        if self.is_absent() { other } else { self }
    }

    /// A value, or null for none: for a source that always speaks.
    pub fn from_nullable(value: Option<T>) -> Self {
        value.map_or(Self::Null, Self::Value)
    }

    /// A value, or absent for none: for a source that leaves out what it does not know.
    pub fn from_optional(value: Option<T>) -> Self {
        value.map_or(Self::Absent, Self::Value)
    }
}

impl<T: Serialize> Serialize for Said<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value().serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Said<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::<T>::deserialize(deserializer).map(Self::from_nullable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Row {
        #[serde(default, skip_serializing_if = "Said::is_absent")]
        phone: Said<String>,
    }

    #[test]
    fn absent_null_and_value_survive_json() {
        for (text, phone) in [
            ("{}", Said::Absent),
            (r#"{"phone":null}"#, Said::Null),
            (r#"{"phone":"1"}"#, Said::Value("1".to_owned())),
        ] {
            let row: Row = serde_json::from_str(text).unwrap();
            assert_eq!(row, Row { phone });
            assert_eq!(serde_json::to_string(&row).unwrap(), text);
        }
    }
}
