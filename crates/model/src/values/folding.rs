use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// The compared form of free text, such as a department's name: no space around it, one space
/// where there were several, no difference between upper and lower case, Unicode NFC.
///
/// Letters stay what they are: `Økonomi` and `Okonomi` are different departments.
#[must_use]
pub fn fold_text(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    fold_case(&words.join(" "))
}

/// The compared form of a person's name, for matching only: two people may share it.
///
/// Upper and lower case, accents, the Nordic letters' usual spellings (`æ` as `ae`, `ø` as `o`,
/// `å` as `a`), the kind of apostrophe, and whether words are joined by a space or a hyphen make
/// no difference. An accent is dropped only where people leave it out when they type: on Latin and
/// Greek letters and on the Cyrillic ё. In other scripts a mark is a letter of its own (й is not
/// и; the vowel signs of Hindi are the vowels) and stays.
#[must_use]
pub fn fold_name(name: &str) -> String {
    let mut folded = String::with_capacity(name.len());
    let mut base = ' ';
    for character in fold_case(&name.nfkd().collect::<String>()).nfkd() {
        if is_combining_mark(character) {
            if keeps_marks(base, character) {
                folded.push(character);
            }
            continue;
        }
        base = ' ';
        match character {
            apostrophe if is_apostrophe(apostrophe) => {}
            joint if joint.is_whitespace() || is_hyphen(joint) => {
                if !folded.is_empty() && !folded.ends_with(' ') {
                    folded.push(' ');
                }
            }
            letter => {
                base = letter;
                match typed_as(letter) {
                    Some(spelling) => folded.push_str(spelling),
                    None => folded.push(letter),
                }
            }
        }
    }
    folded.trim_end().nfc().collect()
}

/// Full case folding and NFC: the compared form of what is written in either case.
///
/// Rust's standard library has no case folding, and lower case alone is not it (ẞ, ß and SS; the
/// two Greek small sigmas). Going down, up and down again maps every letter as Unicode's
/// `CaseFolding.txt` does, up to the choice of which letter stands for the class. The exception is
/// the dotless ı, which has I as its capital but is kept apart from i: merging them lets
/// `mıke@…` pass for `mike@…`.
pub(super) fn fold_case(text: &str) -> String {
    // Nearly every address and every key is plain ASCII, and a million of them are folded.
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.nfd()
        .flat_map(|character| {
            let steps: Vec<char> = match character {
                'ı' => vec!['ı'],
                other => other
                    .to_lowercase()
                    .flat_map(char::to_uppercase)
                    .flat_map(char::to_lowercase)
                    .collect(),
            };
            steps
        })
        .nfc()
        .collect()
}

/// Dashes that people and word processors put where a hyphen belongs.
pub(super) const fn is_hyphen(character: char) -> bool {
    matches!(
        character,
        '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FE63}' | '\u{FF0D}'
    )
}

const fn is_apostrophe(character: char) -> bool {
    matches!(
        character,
        '\'' | '`' | '\u{00B4}' | '\u{02B9}' | '\u{02BB}' | '\u{02BC}' | '\u{02C8}' | '\u{2018}'
            ..='\u{201B}' | '\u{2032}' | '\u{FF07}'
    )
}

/// How people type a letter that has no decomposition into a base letter and a mark.
const fn typed_as(letter: char) -> Option<&'static str> {
    Some(match letter {
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'ß' => "ss",
        'þ' => "th",
        'đ' | 'ð' => "d",
        'ħ' => "h",
        'ı' => "i",
        'ł' => "l",
        'ŋ' => "n",
        'ŧ' => "t",
        _ => return None,
    })
}

/// Whether a mark on this base is part of the spelling. Bases are in lower case here.
fn keeps_marks(base: char, mark: char) -> bool {
    match base {
        // Latin with its extensions, Greek.
        'a'..='z' | '\u{00C0}'..='\u{024F}' | '\u{0370}'..='\u{03FF}' => false,
        '\u{1E00}'..='\u{1FFF}' | '\u{2C60}'..='\u{2C7F}' | '\u{A720}'..='\u{A7FF}' => false,
        // The diaeresis of ё.
        'е' => mark != '\u{0308}',
        // A mark without a letter under it is no spelling of anything.
        letter => letter.is_alphabetic(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_ignores_case_and_the_amount_of_space_but_no_letter() {
        assert_eq!(fold_text("  Salg \u{a0}\t og\nService "), "salg og service");
        assert_eq!(fold_text("O\u{308}KONOMI"), fold_text("ökonomi"));
        assert_ne!(fold_text("Økonomi"), fold_text("Okonomi"));
        assert_ne!(fold_text("R-D"), fold_text("R D"));
    }

    #[test]
    fn case_is_folded_as_unicode_says_and_not_merely_lowered() {
        assert_eq!(fold_text("STRASSE"), fold_text("straße"));
        assert_eq!(fold_text("STRAẞE"), fold_text("straße"));
        assert_eq!(fold_text("ΟΔΟΣ"), fold_text("οδος"));
        assert_eq!(fold_text("ﬁnans"), "finans");
    }

    #[test]
    fn the_dotless_i_does_not_pass_for_an_i_in_text() {
        assert_ne!(fold_text("mıke"), fold_text("mike"));
    }

    #[test]
    fn names_meet_however_their_nordic_letters_and_accents_are_typed() {
        for (said, typed) in [
            ("Åse Ødegård", "ase odegard"),
            ("A\u{30A}se Ødega\u{30A}rd", "ase odegard"),
            ("ÆGIR", "aegir"),
            ("Sørensen", "SORENSEN"),
            ("Małgorzata Żółć", "malgorzata zolc"),
            ("Đorđe Ðurić", "dorde duric"),
            ("Þórður", "thordur"),
            ("Weiß", "Weiss"),
            ("Nguyễn Thị", "nguyen thi"),
            ("Артём Фёдоров", "АРТЕМ ФЕДОРОВ"),
            ("Ελένη", "ελενη"),
            ("Işıl", "isil"),
        ] {
            assert_eq!(fold_name(said), fold_name(typed), "{said}");
        }
        assert_eq!(fold_name("Åse Ødegård"), "ase odegard");
    }

    #[test]
    fn spaces_hyphens_and_apostrophes_do_not_tell_people_apart() {
        assert_eq!(fold_name(" Anne-Marie  Berg "), "anne marie berg");
        assert_eq!(fold_name("Anne – Marie Berg"), "anne marie berg");
        assert_eq!(fold_name("D’Angelo"), fold_name("D'ANGELO"));
        assert_eq!(fold_name("- "), "");
        // The accent of an apostrophe goes with it.
        assert_eq!(fold_name("ʹ\u{1AB0}"), "");
    }

    #[test]
    fn a_mark_that_is_a_letter_of_its_own_stays() {
        assert_ne!(fold_name("Андрей"), fold_name("Андреи"));
        assert_ne!(fold_name("कि"), fold_name("क"));
        assert_ne!(fold_name("が"), fold_name("か"));
    }

    #[test]
    fn different_names_stay_different() {
        assert_ne!(fold_name("Hansen"), fold_name("Hanssen"));
        assert_ne!(fold_name("Ole Berg"), fold_name("Oleberg"));
    }
}
