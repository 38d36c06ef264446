//! Two files of any content, compared.

use std::hash::{BuildHasherDefault, DefaultHasher};
use std::io::Cursor;

use muster_files::diff::{Comparison, DiffError, DiffOptions, Situation, load};
use muster_files::{Column, ReadOptions, TableReader};

/// Two files, parted by a line of three dashes. The first byte chooses the key
/// and whether the comparison is exact.
pub fn diff(bytes: &[u8]) {
    const BORDER: &[u8] = b"\n---\n";
    let Some((choice, bytes)) = bytes.split_first() else {
        return;
    };
    let border = bytes.windows(BORDER.len()).position(|part| part == BORDER);
    let (left, right) = match border {
        Some(at) => {
            let (left, right) = bytes.split_at(at);
            (left, right.get(BORDER.len()..).unwrap_or_default())
        }
        // One file is compared with itself.
        None => (bytes, bytes),
    };
    let keys: &[&str] = match choice % 4 {
        0 => &["employee_number"],
        1 => &["work_email"],
        2 => &["phone"],
        _ => &["start_date", "employee_number"],
    };
    let options = DiffOptions {
        key: keys.iter().map(|key| Column::named(key)).collect(),
        exact: choice & 4 != 0,
        ..DiffOptions::default()
    };
    // What cannot be read or has no key is refused; that is an answer.
    let _ = compare(left, right, &options);
}

fn compare(left: &[u8], right: &[u8], options: &DiffOptions) -> Result<(), DiffError> {
    let open = |bytes: &[u8]| {
        TableReader::from_reader(
            Box::new(Cursor::new(bytes.to_vec())),
            &ReadOptions::default(),
        )
    };
    let sides = load(
        ("left", open(left)?),
        ("right", open(right)?),
        options,
        &BuildHasherDefault::<DefaultHasher>::default(),
    )?;
    let comparison = Comparison::new(&sides, options, 2);
    let report = comparison.report();
    assert_eq!(
        report.left,
        report.matched + report.only_left + report.ambiguous_left + report.invalid_left,
        "each row of the left is counted once"
    );
    assert_eq!(
        report.right,
        report.matched + report.only_right + report.ambiguous_right + report.invalid_right,
        "each row of the right is counted once"
    );
    let (mut changed, mut only, mut rows) = (0, 0, 0);
    let told = comparison.tell(|line| -> Result<(), std::convert::Infallible> {
        rows += (line.left_rows.len() + line.right_rows.len()) as u64;
        match line.situation {
            Situation::Changed => changed += 1,
            Situation::OnlyLeft | Situation::OnlyRight => only += 1,
            Situation::Ambiguous | Situation::Invalid => {}
        }
        Ok(())
    });
    assert!(told.is_ok(), "telling does not fail by itself");
    assert_eq!(changed, report.changed, "who changed is told");
    assert_eq!(
        only,
        report.only_left + report.only_right,
        "who is alone is told"
    );
    assert_eq!(
        rows + 2 * (report.matched - report.changed),
        report.left + report.right,
        "everybody who is not the same is told once"
    );
    if left == right {
        assert_eq!(
            (report.changed, only),
            (0, 0),
            "nothing differs from itself"
        );
    }
    Ok(())
}
