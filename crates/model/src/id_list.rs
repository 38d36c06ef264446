//! Many record ids in little memory.

use crate::id::ExternalId;

/// Record ids, one text after the other: the bytes of the ids and eight more
/// for each, where a list of texts of their own takes five times as much.
/// What a plan of a million people keeps of each of them is kept here.
#[derive(Debug, Clone, Default)]
pub struct ExternalIds {
    texts: String,
    /// Where each id ends.
    ends: Vec<usize>,
}

impl ExternalIds {
    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.ends.len()
    }

    /// Is there none?
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Adds an id; its place is the number of those before it.
    pub fn push(&mut self, id: &str) {
        self.texts.push_str(id);
        self.ends.push(self.texts.len());
    }

    /// The id at a place; the empty text where there is none.
    #[must_use]
    pub fn get(&self, place: usize) -> &str {
        let begin = place.checked_sub(1).map_or(0, |before| self.end(before));
        self.texts.get(begin..self.end(place)).unwrap_or_default()
    }

    /// The place of an id, when the ids stand in the order `order` of places.
    #[must_use]
    pub fn find(&self, id: &str, order: &[u32]) -> Option<usize> {
        let place = order
            .binary_search_by(|place| self.get(*place as usize).cmp(id))
            .ok()?;
        order.get(place).map(|place| *place as usize)
    }

    /// The places in the order of the ids.
    #[must_use]
    pub fn order(&self) -> Vec<u32> {
        let places = u32::try_from(self.len()).unwrap_or(u32::MAX);
        let mut order: Vec<u32> = (0..places).collect();
        let in_order = |pair: &[u32]| match pair {
            [one, two] => self.get(*one as usize) <= self.get(*two as usize),
            _ => true,
        };
        if !order.windows(2).all(in_order) {
            order.sort_by(|one, two| self.get(*one as usize).cmp(self.get(*two as usize)));
        }
        order
    }

    fn end(&self, place: usize) -> usize {
        self.ends.get(place).copied().unwrap_or_default()
    }
}

impl<'a> FromIterator<&'a ExternalId> for ExternalIds {
    fn from_iter<I: IntoIterator<Item = &'a ExternalId>>(ids: I) -> Self {
        let mut list = Self::default();
        for id in ids {
            list.push(id.as_str());
        }
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_in_whatever_order_they_came() {
        let mut ids = ExternalIds::default();
        for id in ["b", "", "aa", "å"] {
            ids.push(id);
        }
        let order = ids.order();
        let sorted: Vec<&str> = order.iter().map(|place| ids.get(*place as usize)).collect();
        assert_eq!(sorted, ["", "aa", "b", "å"]);
        assert_eq!(ids.find("aa", &order), Some(2));
        assert_eq!(ids.find("å", &order), Some(3));
        assert_eq!(ids.find("a", &order), None);
        assert_eq!(ids.get(7), "");
    }
}
