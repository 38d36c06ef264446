//! Names of made-up people, and the letters of their mail addresses.
//!
//! The lists are common given and family names of the Nordic countries and of
//! some others; any likeness of a combination to a living person is chance.

use super::stream::Stream;

/// How often, in a hundred people, each list is drawn from.
const CULTURES: [(u32, &str); 5] = [
    (66, include_str!("../../data/names/norwegian.txt")),
    (12, include_str!("../../data/names/swedish.txt")),
    (6, include_str!("../../data/names/danish.txt")),
    (4, include_str!("../../data/names/finnish.txt")),
    (12, include_str!("../../data/names/elsewhere.txt")),
];

/// Two given names, as in "Anne Lise", in a hundred people.
const DOUBLE_GIVEN: u32 = 12;
/// Two family names, as in "Berg-Hansen", in a hundred people.
const DOUBLE_FAMILY: u32 = 6;

/// A name as written and in the letters a mail address may have.
#[derive(Debug)]
struct Name {
    written: &'static str,
    folded: String,
}

#[derive(Debug)]
struct Culture {
    weight: u32,
    given: Vec<Name>,
    family: Vec<Name>,
}

/// All the names there are.
#[derive(Debug)]
pub(super) struct NameBook {
    cultures: Vec<Culture>,
}

/// A given or a family name in the book: small, so that a million people cost little.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NameRef {
    culture: u8,
    first: u16,
    second: Option<u16>,
}

/// Which of somebody's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Given,
    Family,
}

impl NameBook {
    /// Reads the lists that are compiled in.
    pub(super) fn load() -> Self {
        let cultures = CULTURES
            .iter()
            .map(|&(weight, text)| Culture {
                weight,
                given: list(text, "given:"),
                family: list(text, "family:"),
            })
            .collect();
        Self { cultures }
    }

    /// A given and a family name, usually of one culture.
    pub(super) fn draw(&self, stream: &mut Stream) -> (NameRef, NameRef) {
        let culture = self.draw_culture(stream);
        // Somebody in fifteen has married or moved across a border.
        let family_culture = if stream.below(15) == 0 {
            self.draw_culture(stream)
        } else {
            culture
        };
        let given = self.draw_name(stream, culture, Side::Given);
        let family = self.draw_name(stream, family_culture, Side::Family);
        (given, family)
    }

    /// A family name that differs from `current`.
    pub(super) fn draw_other_family(&self, stream: &mut Stream, current: NameRef) -> NameRef {
        let culture = self.draw_culture(stream);
        let drawn = self.draw_name(stream, culture, Side::Family);
        if self.written(Side::Family, drawn) != self.written(Side::Family, current) {
            return drawn;
        }
        // The next of the same list: the lists hold no name twice.
        let length = self.names(culture, Side::Family).len();
        let next = (usize::from(drawn.first) + 1) % length.max(1);
        NameRef {
            first: u16::try_from(next).unwrap_or(0),
            ..drawn
        }
    }

    /// A given name as written.
    pub(super) fn given(&self, name: NameRef) -> String {
        self.written(Side::Given, name)
    }

    /// A family name as written.
    pub(super) fn family(&self, name: NameRef) -> String {
        self.written(Side::Family, name)
    }

    /// `given.family` in ASCII lower case: what stands before the `@`.
    pub(super) fn local_part(&self, given: NameRef, family: NameRef) -> String {
        let mut local = String::with_capacity(24);
        self.each(Side::Given, given, |name| {
            local.push_str(&name.folded);
            local.push('.');
        });
        let given_length = local.len();
        self.each(Side::Family, family, |name| {
            if local.len() > given_length {
                local.push('-');
            }
            local.push_str(&name.folded);
        });
        local
    }

    fn written(&self, side: Side, name: NameRef) -> String {
        let separator = if side == Side::Given { ' ' } else { '-' };
        let mut text = String::with_capacity(16);
        self.each(side, name, |name| {
            if !text.is_empty() {
                text.push(separator);
            }
            text.push_str(name.written);
        });
        text
    }

    fn each(&self, side: Side, name: NameRef, mut visit: impl FnMut(&Name)) {
        let names = self.names(name.culture, side);
        for index in std::iter::once(name.first).chain(name.second) {
            if let Some(name) = names.get(usize::from(index)) {
                visit(name);
            }
        }
    }

    fn names(&self, culture: u8, side: Side) -> &[Name] {
        self.cultures
            .get(usize::from(culture))
            .map_or(&[], |culture| match side {
                Side::Given => &culture.given,
                Side::Family => &culture.family,
            })
    }

    fn draw_culture(&self, stream: &mut Stream) -> u8 {
        let mut ticket = stream.below(self.cultures.iter().map(|culture| culture.weight).sum());
        for (index, culture) in (0_u8..).zip(&self.cultures) {
            if ticket < culture.weight {
                return index;
            }
            ticket -= culture.weight;
        }
        0
    }

    fn draw_name(&self, stream: &mut Stream, culture: u8, side: Side) -> NameRef {
        let length = u32::try_from(self.names(culture, side).len()).unwrap_or(0);
        let double = match side {
            Side::Given => DOUBLE_GIVEN,
            Side::Family => DOUBLE_FAMILY,
        };
        let mut one = || u16::try_from(stream.below(length)).unwrap_or(0);
        let (first, second) = (one(), one());
        let wanted = stream.chance(double) && second != first;
        NameRef {
            culture,
            first,
            second: wanted.then_some(second),
        }
    }
}

/// The names of one line of a list: `written` or `written=folded`, divided by commas.
fn list(text: &'static str, label: &str) -> Vec<Name> {
    text.lines()
        .filter_map(|line| line.strip_prefix(label))
        .flat_map(|names| names.split(','))
        .map(|entry| match entry.split_once('=') {
            Some((written, folded)) => Name {
                written: written.trim(),
                folded: folded.trim().to_owned(),
            },
            None => Name {
                written: entry.trim(),
                folded: fold(entry.trim()),
            },
        })
        .collect()
}

/// A Latin name in the letters of a mail address. A letter without an entry
/// falls away; a test shows that the lists have none.
fn fold(name: &str) -> String {
    let mut folded = String::with_capacity(name.len());
    for letter in name.chars().flat_map(char::to_lowercase) {
        match letter {
            'a'..='z' | '-' => folded.push(letter),
            ' ' => folded.push('.'),
            'å' | 'ä' | 'á' | 'ã' | 'ầ' => folded.push('a'),
            'æ' => folded.push_str("ae"),
            'ø' | 'ö' | 'ó' | 'ơ' => folded.push('o'),
            'é' | 'ë' | 'ê' | 'ễ' => folded.push('e'),
            'í' | 'ı' | 'ị' => folded.push('i'),
            'ü' | 'ú' | 'ư' | 'ứ' => folded.push('u'),
            'ý' => folded.push('y'),
            'ç' | 'ć' | 'č' => folded.push('c'),
            'đ' | 'ð' => folded.push('d'),
            'ğ' => folded.push('g'),
            'ł' => folded.push('l'),
            'ñ' => folded.push('n'),
            'ř' => folded.push('r'),
            'ş' | 'š' => folded.push('s'),
            'ß' => folded.push_str("ss"),
            'þ' => folded.push_str("th"),
            'ž' => folded.push('z'),
            _ => {}
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::company::stream::{Purpose, StreamKey};
    use std::collections::HashSet;

    fn is_address_letter(letter: char) -> bool {
        letter.is_ascii_lowercase() || letter == '-' || letter == '.'
    }

    #[test]
    fn every_name_has_letters_for_an_address_and_stands_once_in_its_list() {
        for culture in NameBook::load().cultures {
            for names in [culture.given, culture.family] {
                let mut seen = HashSet::new();
                assert!(names.len() >= 20);
                for name in names {
                    assert!(!name.folded.is_empty(), "{} folds to nothing", name.written);
                    assert!(
                        name.folded.chars().all(is_address_letter),
                        "{}",
                        name.folded
                    );
                    assert!(seen.insert(name.written), "{} stands twice", name.written);
                }
            }
        }
    }

    #[test]
    fn no_letter_of_a_name_falls_away() {
        for (_, text) in CULTURES {
            let names = text.lines().filter_map(|line| line.split_once(':'));
            for name in names.flat_map(|(_, names)| names.split(',')) {
                // A name with an entry of its own is not folded.
                if !name.contains('=') {
                    let letters = name.trim().chars().filter(|letter| *letter != '\'');
                    assert!(fold(name.trim()).len() >= letters.count(), "{name}");
                }
            }
        }
    }

    #[test]
    fn nordic_and_other_letters_are_folded() {
        for (written, folded) in [
            ("Bjørg", "bjorg"),
            ("Sæther", "saether"),
            ("Åström", "astrom"),
            ("Þórunn", "thorunn"),
            ("O'Brien", "obrien"),
            ("García López", "garcia.lopez"),
            ("Thị Hương", "thi.huong"),
            ("İbrahim", "ibrahim"),
        ] {
            assert_eq!(fold(written), folded);
        }
    }

    #[test]
    fn a_new_family_name_is_another_one() {
        let book = NameBook::load();
        let key = StreamKey {
            seed: 3,
            other: false,
        };
        for ordinal in 0..2_000 {
            let mut stream = Stream::new(key, Purpose::Persona, ordinal);
            let (_, current) = book.draw(&mut stream);
            let changed = book.draw_other_family(&mut stream, current);
            assert_ne!(book.family(current), book.family(changed));
        }
    }
}
