//! One request and its answer, as they crossed the wire.

/// One request and its answer, kept so that a test can hold both against the
/// vendor's contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// The method in capitals.
    pub method: String,
    /// The path as sent, from the root (`/v2/employee`), a secret in it replaced.
    pub path: String,
    /// The query as sent, without `?`, secrets in it replaced; empty when there was none.
    pub query: String,
    /// The request's body as text; none when it was empty.
    pub request_body: Option<String>,
    /// The answer's status.
    pub status: u16,
    /// The answer's body as sent (a cut body is cut here too); none when it was empty.
    pub response_body: Option<String>,
}

/// What stands where a secret stood.
pub const LEFT_OUT: &str = "left-out";
