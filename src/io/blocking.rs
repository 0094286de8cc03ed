//! Work that may sleep in the kernel, away from the core.
//!
//! Runs on the blocking threads of the calling core's executor; knows nothing of what the work is.

/// Runs `work` on a blocking thread of this executor and waits for its result without holding up the core.
///
/// # Cancel safety
/// Dropping the future does not stop work that has begun; its result is then lost.
///
/// # Panics
/// Outside a glommio executor.
pub async fn blocking<R, F>(work: F) -> R
where
    R: Send + 'static,
    F: FnOnce() -> R + Send + 'static,
{
    glommio::executor().spawn_blocking(work).await
}
