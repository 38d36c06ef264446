//! When to try again, and how long to wait before.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::HeaderMap;

/// Tries of one request, the first included.
pub(crate) const MOST_TRIES: u32 = 5;

/// The longest wait that a vendor may ask for; a longer one ends the request.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// The wait after a try (counted from 1) when the vendor asks for none: 1, 2, 4, 8 seconds.
pub(crate) fn back_off(tried: u32) -> Duration {
    Duration::from_secs(1 << tried.saturating_sub(1).min(3))
}

/// The wait that the vendor asks for: seconds until its period ends, in its own
/// header, else `Retry-After` (seconds or a date, RFC 9110 section 10.2.3).
pub(super) fn asked_wait(
    headers: &HeaderMap,
    reset_seconds_header: Option<&str>,
    now: Timestamp,
) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let seconds = |text: &str| text.parse().ok().map(Duration::from_secs);
    reset_seconds_header
        .and_then(text)
        .and_then(seconds)
        .or_else(|| {
            let after = text("retry-after")?;
            seconds(after).or_else(|| until(after, now))
        })
}

fn until(date: &str, now: Timestamp) -> Option<Duration> {
    let at = jiff::fmt::rfc2822::parse(date).ok()?.timestamp();
    // A date that has passed asks for no wait.
    Some(Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(headers: &[(&'static str, &str)]) -> Option<Duration> {
        let map = headers
            .iter()
            .map(|(name, value)| {
                (
                    reqwest::header::HeaderName::from_static(name),
                    value.parse().unwrap(),
                )
            })
            .collect();
        let now: Timestamp = "2025-01-01T12:00:00Z".parse().unwrap();
        asked_wait(&map, Some("x-rate-limit-reset"), now)
    }

    #[test]
    fn the_vendors_own_header_comes_before_retry_after() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(
            wait(&[("x-rate-limit-reset", "7"), ("retry-after", "30")]),
            seconds(7)
        );
        assert_eq!(wait(&[("retry-after", "30")]), seconds(30));
        assert_eq!(
            wait(&[("x-rate-limit-reset", "soon"), ("retry-after", "3")]),
            seconds(3)
        );
        assert_eq!(
            wait(&[("retry-after", "Wed, 01 Jan 2025 12:01:30 GMT")]),
            seconds(90)
        );
        assert_eq!(
            wait(&[("retry-after", "Wed, 01 Jan 2025 11:00:00 GMT")]),
            seconds(0)
        );
        assert_eq!(wait(&[("retry-after", "-1")]), None);
        assert_eq!(wait(&[]), None);
    }

    #[test]
    fn waits_double_and_stay_bounded() {
        let waits: Vec<u64> = (1..7).map(|tried| back_off(tried).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 8, 8]);
    }
}
