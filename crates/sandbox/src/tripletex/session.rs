//! Tokens and sessions: who may ask.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::civil::Date;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The three tokens of the vendor, and the sessions that live.
#[derive(Debug)]
pub(super) struct Sessions {
    pub(super) consumer_token: String,
    pub(super) employee_token: String,
    random: ChaCha8Rng,
    made: u64,
    /// Expiry by session token.
    live: BTreeMap<String, Date>,
}

impl Sessions {
    /// Tokens that are the same for the same seed.
    pub(super) fn new(seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        Self {
            consumer_token: token(&mut random),
            employee_token: token(&mut random),
            random,
            made: 0,
            live: BTreeMap::new(),
        }
    }

    /// A new session's number and token.
    pub(super) fn create(&mut self, expires: Date) -> (u64, String) {
        let token = token(&mut self.random);
        self.made += 1;
        self.live.insert(token.clone(), expires);
        (self.made, token)
    }

    /// Ends a session; false when there was none.
    pub(super) fn end(&mut self, token: &str) -> bool {
        self.live.remove(token).is_some()
    }

    /// The session token of a Basic header, when it is good today for this company.
    ///
    /// The user is `0` or empty for the token owner's own company, or the
    /// company's id. A session is dead from the start of its expiry date.
    pub(super) fn authorised(
        &self,
        header: Option<&str>,
        account_id: u64,
        today: Date,
    ) -> Option<String> {
        let (scheme, encoded) = header?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
        let (user, password) = decoded.split_once(':')?;
        let own = matches!(user, "" | "0") || user == account_id.to_string();
        let expires = self.live.get(password)?;
        (own && today < *expires).then(|| password.to_owned())
    }
}

/// A token with the prefix that tokens of test companies carry.
fn token(random: &mut ChaCha8Rng) -> String {
    let mut token = "test-".to_owned();
    for _ in 0..3 {
        // Writing to a string cannot fail.
        let _ = write!(token, "{:016x}", random.next_u64());
    }
    token
}
