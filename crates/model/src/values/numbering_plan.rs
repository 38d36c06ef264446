//! The numbering plans of the world, as libphonenumber's metadata describes them.
//!
//! Only the metadata of the crate `phonenumber` is used. Its parser strips a national prefix
//! whether or not the number still fits its plan afterwards (it looks for the possible lengths in
//! the general description, where the metadata has none), so that a number that begins with its
//! country's prefix digit, such as +7 812 … in St Petersburg, would lose it.

use phonenumber::Metadata;
use phonenumber::metadata::{DATABASE, Descriptor};

use super::Country;

/// How the numbers of one country are built and dialled.
pub(super) struct NumberingPlan(&'static Metadata);

impl NumberingPlan {
    /// The plan of a country, if it has one of its own.
    pub(super) fn of_country(country: Country) -> Option<Self> {
        DATABASE.by_id(country.code()).map(Self)
    }

    /// The number in international digits, when it is dialled in this country.
    pub(super) fn international(&self, dialled: &str) -> Option<String> {
        if let Some(abroad) = self.after_international_prefix(dialled) {
            return international(abroad);
        }
        let code = self.0.country_code();
        let own_code = code.to_string();
        let without_code = dialled.strip_prefix(&own_code);
        let candidates = [
            self.without_national_prefix(dialled),
            Some(dialled.to_owned()),
            self.without_plain_prefix(dialled),
            // People leave out the + as well. Last, because it may also be how a local number begins.
            without_code.and_then(|number| self.without_national_prefix(number)),
            without_code.map(str::to_owned),
        ];
        first_in_plan(code, candidates)
    }

    /// Whether the number begins as one does that is dialled to another country.
    pub(super) fn dials_abroad(&self, dialled: &str) -> bool {
        self.after_international_prefix(dialled).is_some()
    }

    fn after_international_prefix<'a>(&self, dialled: &'a str) -> Option<&'a str> {
        let prefix = self.0.international_prefix()?.find(dialled)?;
        (prefix.start() == 0)
            .then(|| dialled.get(prefix.end()..))
            .flatten()
    }

    /// The number without the digits that are dialled before it inside the country, if it has
    /// them. A few plans write something else in their place.
    fn without_national_prefix(&self, number: &str) -> Option<String> {
        let Some(pattern) = self.0.national_prefix_for_parsing() else {
            return self.without_plain_prefix(number);
        };
        let captures = pattern.captures(number)?;
        let whole = captures.get(0)?;
        if whole.start() != 0 {
            return None;
        }
        // The rule writes the last group; where that is empty there is nothing to write.
        let last_group = captures.iter().skip(1).last().flatten();
        match self.0.national_prefix_transform_rule() {
            Some(rule) if last_group.is_some() => Some(pattern.replace(number, rule).into_owned()),
            _ => number.get(whole.end()..).map(str::to_owned),
        }
    }

    /// The number without the bare prefix. The pattern above may take a carrier's digit with it
    /// that is the first digit of the number.
    fn without_plain_prefix(&self, number: &str) -> Option<String> {
        let prefix = self.0.national_prefix()?;
        number.strip_prefix(prefix).map(str::to_owned)
    }
}

/// The number in international digits, when they already begin with a country code. National
/// prefixes that stand behind the code by mistake are left out.
///
/// Nothing when the code does not exist or no plan has room for the number.
pub(super) fn international(digits: &str) -> Option<String> {
    let (code, number) = split_country_code(digits)?;
    let plans = DATABASE.by_code(&code)?;
    let main = plans
        .iter()
        .find(|plan| plan.is_main_country_for_code())
        .or_else(|| plans.first())
        .map(|plan| NumberingPlan(plan))?;
    let candidates = [
        Some(number.to_owned()),
        main.without_national_prefix(number),
    ];
    first_in_plan(code, candidates)
}

/// The country code at the beginning and what follows. Codes are free of prefixes: none is the
/// beginning of another.
pub(super) fn split_country_code(digits: &str) -> Option<(u16, &str)> {
    (1..=3).find_map(|length| {
        let (code, number) = digits.split_at_checked(length)?;
        let code = code.parse().ok()?;
        DATABASE.by_code(&code).map(|_| (code, number))
    })
}

/// The first candidate that looks like a number of the code's plans; else the first that is as
/// long as the numbers of people in one of them, as fictional numbers are.
fn first_in_plan<const N: usize>(code: u16, candidates: [Option<String>; N]) -> Option<String> {
    let plans = DATABASE.by_code(&code)?;
    let number = candidates
        .iter()
        .flatten()
        .find(|number| plans.iter().any(|plan| is_expected(plan, number)))
        .or_else(|| {
            let mut possible = candidates.iter().flatten();
            possible.find(|number| plans.iter().any(|plan| is_possible(plan, number)))
        })?;
    Some(format!("{code}{number}"))
}

/// Whether these international digits look like a number as they are, with no prefix to take off.
pub(super) fn is_expected_as_it_is(digits: &str) -> bool {
    split_country_code(digits).is_some_and(|(code, number)| {
        DATABASE
            .by_code(&code)
            .is_some_and(|plans| plans.iter().any(|plan| is_expected(plan, number)))
    })
}

/// Whether the number is, from its first digit to its last, one of a kind in the plan that can be
/// called from abroad.
///
/// The kinds are asked besides the general description, because some of its patterns (Indonesia's)
/// try a short form first and stop there.
fn is_expected(plan: &Metadata, number: &str) -> bool {
    let kinds = plan.descriptors();
    [
        Some(kinds.general()),
        kinds.fixed_line(),
        kinds.mobile(),
        kinds.toll_free(),
        kinds.premium_rate(),
        kinds.shared_cost(),
        kinds.voip(),
        kinds.personal_number(),
        kinds.pager(),
        kinds.uan(),
        kinds.voicemail(),
    ]
    .into_iter()
    .flatten()
    .any(|kind| {
        let found = kind.national_number().find(number);
        found.is_some_and(|found| found.range() == (0..number.len()))
    })
}

/// Whether lines and mobiles in the plan have numbers of that length.
fn is_possible(plan: &Metadata, number: &str) -> bool {
    let kinds = plan.descriptors();
    [kinds.fixed_line(), kinds.mobile()]
        .into_iter()
        .flatten()
        .any(|kind| is_as_long(kind, number))
}

fn is_as_long(kind: &Descriptor, number: &str) -> bool {
    u16::try_from(number.len()).is_ok_and(|length| kind.possible_length().contains(&length))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The metadata brings an example of a line and of a mobile in each country.
    fn examples() -> Vec<(&'static Metadata, String)> {
        let mut examples = Vec::new();
        for plan in DATABASE.iter() {
            let kinds = plan.descriptors();
            for kind in [kinds.fixed_line(), kinds.mobile()] {
                let example = kind.and_then(Descriptor::example);
                examples.extend(example.map(|number| (plan, number.to_owned())));
            }
        }
        examples
    }

    #[test]
    fn every_example_of_every_country_is_read_in_international_form_unchanged() {
        let examples = examples();
        assert!(examples.len() > 400, "{}", examples.len());
        for (plan, number) in examples {
            let digits = format!("{}{number}", plan.country_code());
            assert!(is_expected_as_it_is(&digits), "{}", plan.id());
            assert_eq!(international(&digits), Some(digits), "{}", plan.id());
        }
    }

    #[test]
    fn every_example_of_every_country_is_read_at_home_with_and_without_its_national_prefix() {
        for (plan, number) in examples() {
            let expected = Some(format!("{}{number}", plan.country_code()));
            let home = NumberingPlan(plan);
            assert_eq!(home.international(&number), expected, "{}", plan.id());
            if let Some(prefix) = plan.national_prefix() {
                let dialled = format!("{prefix}{number}");
                assert_eq!(home.international(&dialled), expected, "{}", plan.id());
            }
        }
    }
}
