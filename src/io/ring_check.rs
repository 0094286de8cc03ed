//! Whether this process may use io_uring, asked before the runtime does, so that the answer is a sentence.

use std::io;
use thiserror::Error;

/// Why io_uring cannot be used.
#[derive(Debug, Error)]
pub enum RingError {
    /// The kernel has none, or it is switched off.
    #[error(
        "this kernel offers no io_uring: Linux 5.8 or newer is needed, built with CONFIG_IO_URING"
    )]
    Absent,
    /// A policy forbids it.
    #[error(
        "io_uring is forbidden here: allow it in the sysctl kernel.io_uring_disabled (0), or in the container's seccomp profile"
    )]
    Forbidden,
    /// Too little memory may be locked.
    #[error(
        "too little locked memory for io_uring: raise the limit (`ulimit -l`, LimitMEMLOCK= in a systemd unit, --ulimit memlock= of a container) to {needed_kib} KiB or more, or use fewer --cores"
    )]
    LockedMemory {
        /// What all cores need together, in KiB.
        needed_kib: usize,
    },
    /// Anything else.
    #[error("io_uring cannot be set up: {0}")]
    Other(io::Error),
}

/// Sets up a small ring and drops it again, and compares the limit on locked memory with what will be needed.
///
/// # Errors
/// See [`RingError`].
pub fn ring_is_usable(needed_kib: usize) -> Result<(), RingError> {
    // `struct io_uring_params` is plain data of 120 bytes; all zero asks for the defaults.
    let mut params: [u8; 120] = [0; 120];
    // SAFETY: the buffer is as large as `struct io_uring_params` and outlives the call.
    let ring = unsafe { libc::syscall(libc::SYS_io_uring_setup, 8, params.as_mut_ptr()) };
    if let Ok(descriptor @ 0..) = i32::try_from(ring) {
        // SAFETY: the descriptor was just made and belongs to nobody else.
        unsafe { libc::close(descriptor) };
        return locked_memory_suffices(needed_kib);
    }
    let error = io::Error::last_os_error();
    Err(match error.raw_os_error() {
        Some(libc::ENOSYS) => RingError::Absent,
        Some(libc::EPERM | libc::EACCES) => RingError::Forbidden,
        Some(libc::ENOMEM) => RingError::LockedMemory { needed_kib },
        _ => RingError::Other(error),
    })
}

/// Registered buffers count against RLIMIT_MEMLOCK unless the process has CAP_IPC_LOCK.
fn locked_memory_suffices(needed_kib: usize) -> Result<(), RingError> {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limit` is a live rlimit.
    let read = unsafe { libc::getrlimit(libc::RLIMIT_MEMLOCK, &raw mut limit) };
    let enough = read != 0
        || limit.rlim_cur == libc::RLIM_INFINITY
        || limit.rlim_cur >= (needed_kib * 1024) as u64;
    if enough || has_ipc_lock() {
        return Ok(());
    }
    Err(RingError::LockedMemory { needed_kib })
}

/// CAP_IPC_LOCK is bit 14 of the effective capabilities.
fn has_ipc_lock() -> bool {
    std::fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|status| {
            let line = status
                .lines()
                .find_map(|line| line.strip_prefix("CapEff:"))?;
            u64::from_str_radix(line.trim(), 16).ok()
        })
        .is_some_and(|capabilities| capabilities & (1 << 14) != 0)
}
