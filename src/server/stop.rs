//! Signals: SIGTERM and SIGINT drain and flush, a second one exits at once; SIGXFSZ must not end the broker.

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::low_level::pipe;
use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The exit code of a stop that was not waited for: 128 + SIGINT, as shells have it.
const EXIT_AT_ONCE: i32 = 130;

/// Registers the signals. A byte can be read from the returned socket when the first one comes.
///
/// # Errors
/// When the system refuses the socket or the handlers.
pub fn on_signals() -> io::Result<UnixStream> {
    let (told, teller) = UnixStream::pair()?;
    let stopping = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT] {
        // In this order: the second signal finds the flag that the first has set.
        flag::register_conditional_shutdown(signal, EXIT_AT_ONCE, Arc::clone(&stopping))?;
        flag::register(signal, Arc::clone(&stopping))?;
        pipe::register(signal, teller.try_clone()?)?;
    }
    // A file at its limit (`ulimit -f`): the write fails with EFBIG, and who writes deals with that. Nobody looks at the flag.
    flag::register(libc::SIGXFSZ, Arc::default())?;
    Ok(told)
}
