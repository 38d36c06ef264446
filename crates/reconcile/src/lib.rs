//! From normalised source records to a plan: pure functions, no I/O, no clock, no randomness.
