//! The UsernameToken of WS-Security, password as text over TLS.

use quick_xml::escape::escape;

const EXTENSION: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
const TEXT: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordText";

/// What a manifest's XML writes where the header of proof goes.
pub(super) const PLACE: &str = "<!--security-->";

/// The header.
pub(super) fn header(user: &str, password: &str) -> String {
    format!(
        "<wsse:Security xmlns:wsse=\"{EXTENSION}\"><wsse:UsernameToken><wsse:Username>{}\
         </wsse:Username><wsse:Password Type=\"{TEXT}\">{}</wsse:Password></wsse:UsernameToken>\
         </wsse:Security>",
        escape(user),
        escape(password)
    )
}
