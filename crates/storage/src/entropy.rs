//! Randomness that is passed in.

/// Where keys and nonces come from. The binary gives the operating system's;
/// a test gives a seeded generator. A source that cannot fill must not return.
pub trait Entropy: Send + Sync {
    /// Fills the whole slice with bytes that nobody can guess.
    fn fill(&self, bytes: &mut [u8]);
}
