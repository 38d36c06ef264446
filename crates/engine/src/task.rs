//! Work that goes on beside whoever hands it over.

use tokio::task::JoinSet;

/// Waits for the one task of a set. A set ends its task when it is dropped: whoever gives
/// up takes the work along.
pub(crate) async fn ended<T, E>(mut task: JoinSet<Result<T, E>>) -> Result<T, E>
where
    T: 'static,
    E: 'static,
{
    match task.join_next().await {
        Some(Ok(done)) => done,
        // A defect of ours goes on as the one it is.
        Some(Err(error)) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        // The program is ending, and whoever waits here with it.
        Some(Err(_)) | None => std::future::pending().await,
    }
}
