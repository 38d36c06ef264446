//! What is said of a defect: where, and never with what in hand. The text of a
//! panic can repeat the value that it stumbled over, and standard error is
//! somebody's log.

use std::panic::PanicHookInfo;

use crate::output;

/// From now on every panic of this program is told without its text.
pub(crate) fn install() {
    std::panic::set_hook(Box::new(|info| output::say(&words(info))));
}

fn words(info: &PanicHookInfo<'_>) -> String {
    let place = info.location().map_or_else(
        || "an unknown place".to_owned(),
        |place| format!("{}:{}:{}", place.file(), place.line(), place.column()),
    );
    format!(
        "internal.defect: muster stumbled at {place}; this is a defect, please report it with this \
         line. Work that was not committed was not done. What it had in hand is not shown, \
         because it may be somebody's data"
    )
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// The words of a panic with everything that it could have in hand.
    #[test]
    fn a_panic_tells_where_and_nothing_of_what_it_had_in_hand() {
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let before = std::panic::take_hook();
        let into = Arc::clone(&heard);
        std::panic::set_hook(Box::new(move |info| {
            into.lock().unwrap().push(words(info));
        }));
        let thread = std::thread::spawn(|| {
            let read = "Kanari Knudsen, 01010112345".parse::<u64>();
            read.map_err(|_| "Kanari Knudsen, 01010112345".to_owned())
                .unwrap()
        });
        let ended = thread.join();
        std::panic::set_hook(before);
        // The panic carries its text, so the words could have held it.
        let carried = ended.unwrap_err();
        assert!(carried.downcast_ref::<String>().unwrap().contains("Kanari"));
        let heard = heard.lock().unwrap();
        assert_eq!(heard.len(), 1);
        assert!(heard[0].contains("panic_words.rs:"), "{}", heard[0]);
        for part in ["Kanari", "Knudsen", "01010112345"] {
            assert!(!heard[0].contains(part), "{}", heard[0]);
        }
    }
}
