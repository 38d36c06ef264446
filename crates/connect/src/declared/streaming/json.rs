//! Rows of a body in JSON.

use std::io::BufRead;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value as Json};

use super::batches::Batches;
use super::{Ended, MOST_KEPT, Unparsed, Wanted};
use crate::weight::weight;

/// Takes the rows out of a body.
pub(super) fn rows(
    body: impl BufRead,
    wanted: &Wanted,
    batches: &mut Batches<'_>,
) -> Result<Ended, Unparsed> {
    let mut taking = Taking {
        batches,
        keeps: wanted.keeps,
        kept: 0,
        found: false,
        broke: None,
    };
    let mut deserializer = serde_json::Deserializer::from_reader(body);
    let walk = Walk {
        way: &wanted.way,
        taking: &mut taking,
    };
    let walked = walk.deserialize(&mut deserializer);
    let ended = walked.and_then(|beside| deserializer.end().map(|()| beside));
    match (ended, taking.broke) {
        (_, Some(why)) => Err(why),
        (Ok(beside), None) => Ok(Ended {
            found: taking.found,
            beside,
        }),
        (Err(error), None) if error.is_eof() => Err(Unparsed::Truncated),
        (Err(_), None) => Err(Unparsed::NotJson),
    }
}

/// What the walk finds.
struct Taking<'b, 'a> {
    batches: &'b mut Batches<'a>,
    keeps: bool,
    /// Bytes that are kept beside the rows.
    kept: usize,
    found: bool,
    /// Why the walk was broken off, where the text is not to blame.
    broke: Option<Unparsed>,
}

impl Taking<'_, '_> {
    fn breaks<E: serde::de::Error>(&mut self, why: Unparsed) -> E {
        self.broke = Some(why);
        E::custom("broken off")
    }

    fn row<E: serde::de::Error>(&mut self, row: Json) -> Result<(), E> {
        match self.batches.push(row) {
            true => Ok(()),
            false => Err(self.breaks(Unparsed::Left)),
        }
    }

    fn keep<E: serde::de::Error>(&mut self, bytes: usize) -> Result<(), E> {
        self.kept = self.kept.saturating_add(bytes);
        match self.kept > MOST_KEPT {
            true => Err(self.breaks(Unparsed::TooLarge)),
            false => Ok(()),
        }
    }
}

/// The way to the rows; walking it gives what stands beside them.
struct Walk<'w, 't, 'b, 'a> {
    way: &'w [String],
    taking: &'t mut Taking<'b, 'a>,
}

impl<'de> DeserializeSeed<'de> for Walk<'_, '_, '_, '_> {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_, '_, '_, '_> {
    type Value = Json;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("an answer with a list")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let taking = self.taking;
        let mut beside = Map::new();
        let Some((wanted, further)) = self.way.split_first() else {
            // A list of one that is written as the one.
            while let Some((name, value)) = members.next_entry::<String, Json>()? {
                beside.insert(name, value);
            }
            taking.found = true;
            taking.row(Json::Object(beside))?;
            return Ok(Json::Array(Vec::new()));
        };
        while let Some(name) = members.next_key::<String>()? {
            if name == *wanted {
                if beside.contains_key(&name) {
                    return Err(taking.breaks(Unparsed::Twice));
                }
                let walk = Walk {
                    way: further,
                    taking: &mut *taking,
                };
                let value = members.next_value_seed(walk)?;
                beside.insert(name, value);
            } else if taking.keeps {
                let value = members.next_value::<Json>()?;
                taking.keep(name.len() + weight(&value))?;
                beside.insert(name, value);
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Json::Object(beside))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json, A::Error> {
        let taking = self.taking;
        let mut beside = Vec::new();
        if self.way.is_empty() {
            taking.found = true;
            while let Some(row) = list.next_element::<Json>()? {
                taking.row(row)?;
            }
        } else if taking.keeps {
            while let Some(value) = list.next_element::<Json>()? {
                taking.keep(weight(&value))?;
                beside.push(value);
            }
        } else {
            while list.next_element::<IgnoredAny>()?.is_some() {}
        }
        Ok(Json::Array(beside))
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::from(value))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Json, E> {
        self.taking.keep(value.len())?;
        Ok(Json::String(value.to_owned()))
    }
}
