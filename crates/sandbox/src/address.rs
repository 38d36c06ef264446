//! Reading the path and the query of a request as they were sent.

/// A piece of a path or a query with its percent signs resolved.
///
/// What is no valid escape stays as it is, as servers commonly do; bytes that
/// are no UTF-8 become replacement characters.
pub(crate) fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, others)) = rest.split_first() {
        if *first == b'%'
            && let Some((escape, behind)) = others.split_at_checked(2)
            && let Some(byte) = hexadecimal(escape)
        {
            bytes.push(byte);
            rest = behind;
        } else {
            bytes.push(*first);
            rest = others;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The value of two hexadecimal digits.
fn hexadecimal(digits: &[u8]) -> Option<u8> {
    let text = std::str::from_utf8(digits).ok()?;
    // `from_str_radix` would take a sign for a digit.
    if !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u8::from_str_radix(text, 16).ok()
}

/// The names and values of a query, in order, decoded; `+` is a space.
pub(crate) fn query_pairs(query: &str) -> Vec<(String, String)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (
                decoded(&name.replace('+', " ")),
                decoded(&value.replace('+', " ")),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_resolved_and_false_escapes_stay() {
        assert_eq!(decoded("%3EwhoAmI"), ">whoAmI");
        assert_eq!(decoded("%3acreate"), ":create");
        assert_eq!(decoded("K%C3%A5re"), "Kåre");
        assert_eq!(decoded("100%"), "100%");
        assert_eq!(decoded("%+1%zz%4"), "%+1%zz%4");
    }

    #[test]
    fn a_query_keeps_order_and_repetition() {
        assert_eq!(
            query_pairs("fields=id%2Cname&x=a+b&&x=&flag"),
            [("fields", "id,name"), ("x", "a b"), ("x", ""), ("flag", "")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
    }
}
