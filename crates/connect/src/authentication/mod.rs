//! Proving to a vendor who asks.
//!
//! | Module | What it is |
//! |---|---|
//! | `compiled` | the ways of a manifest, and what goes with a request |
//! | `token` | tokens that are asked for, held and renewed, one at a time |
//! | `signing` | RSA with SHA-256, from a PEM key |
//! | `jwt` | the signed JWT of RFC 7523 |
//! | `saml` | the signed SAML assertion of RFC 7522 |
//! | `ws_security` | the UsernameToken of WS-Security |

mod compiled;
mod jwt;
mod saml;
mod signing;
mod token;
mod ws_security;

pub(crate) use compiled::{Authenticator, CompiledAuthentication, compile};
