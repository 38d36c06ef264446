//! placeholder
pub struct Email;
impl Email {
    pub fn fold(t: &str) -> String {
        t.trim().to_lowercase()
    }
}
pub fn fold_text(t: &str) -> String {
    t.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .to_lowercase()
}
pub fn fold_name(t: &str) -> String {
    fold_text(t)
}
