//! Work on many rows, shared by the cores.

use rayon::prelude::*;

use crate::error::StorageError;

/// Rows below which a second core is not worth waking: some tens of microseconds of
/// sealing.
const WORTH_SHARING: usize = 64;

/// Does the same with each row (seals it, opens it, writes it as JSON), on all cores;
/// the results come in the order of the rows, of several errors any one.
pub(crate) fn at_once<T, R>(
    rows: &[T],
    make: impl Fn(&T) -> Result<R, StorageError> + Send + Sync,
) -> Result<Vec<R>, StorageError>
where
    T: Sync,
    R: Send,
{
    rows.par_iter()
        .with_min_len(WORTH_SHARING)
        .map(make)
        .collect()
}

/// As [`at_once`], of rows that are used up.
pub(crate) fn all_at_once<T, R>(
    rows: Vec<T>,
    make: impl Fn(T) -> Result<R, StorageError> + Send + Sync,
) -> Result<Vec<R>, StorageError>
where
    T: Send,
    R: Send,
{
    rows.into_par_iter()
        .with_min_len(WORTH_SHARING)
        .map(make)
        .collect()
}
