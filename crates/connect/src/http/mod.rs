//! The only way out of the house: one HTTP client, bounded in everything.
//!
//! | Bound | Value | Why |
//! |---|---|---|
//! | connecting | 10 s | a host that does not answer by then is down |
//! | one answer | 120 s | a vendor's last page may take a minute |
//! | one body | 64 MiB | a thousand full records need less than a tenth of it |
//! | one row of a body that is read row by row | 64 MiB | the same; the body as a whole has no bound, and its pieces have the 120 s of an answer |
//! | the first byte of such a body | 30 min | whoever gives everybody at once makes the whole list first |
//! | what is kept of such a body beside its rows | 8 MiB | titles and refusals; the rows are the large part |
//! | tries | 5 | 1 + 2 + 4 + 8 seconds of waiting outlast a restart |
//! | a wait that a vendor asks for | 10 min | longer than any throttling period known |
//! | redirects | 3, to the same origin | credentials go to nobody else |
//! | hosts | that of the base address, and those that the manifest names | the same |
//! | calls in a time | the vendor's published limit | see `budget` |
//!
//! Waiting goes through [`Pause`], and there is no jitter: two readers of one
//! account do not exist, because a connection is read by one worker at a time.

mod answer;
mod base_url;
mod client;
mod dialect;
mod pause;
mod played;
mod request;
mod retry;
mod streaming;

pub use answer::Answer;
pub use base_url::BaseUrl;
pub use client::HttpClient;
pub(crate) use client::{not_json, not_xml, row_too_large, truncated};
pub use dialect::{Dialect, Speech};
pub use pause::{Pause, TokioPause};
pub(crate) use played::Play;
pub use request::{Basic, Request};

pub(crate) use dialect::{Form, Verdict};
pub(crate) use retry::{MOST_TRIES, back_off};
pub(crate) use streaming::{Opened, Streaming};
