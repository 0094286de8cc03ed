//! How the C library's allocator treats the broker's large buffers.
//!
//! A frame of a megabyte and the staging buffer it is copied to live for a millisecond. By default glibc maps such a buffer
//! afresh and unmaps it each time, and the kernel clears and faults in every page again. Kept on the heap they stay warm.

/// Buffers up to this size come from the heap: the largest threshold that glibc takes.
#[cfg(target_env = "gnu")]
const HEAP_UP_TO_BYTES: libc::c_int = 32 * 1024 * 1024;
/// The heap gives memory back to the system only when this much is free at its end.
#[cfg(target_env = "gnu")]
const TRIM_ABOVE_BYTES: libc::c_int = 64 * 1024 * 1024;

/// Keeps large buffers on the heap. To be called once, before any other thread runs; a C library other than glibc is left as it is.
pub fn keep_large_buffers_warm() {
    #[cfg(target_env = "gnu")]
    // SAFETY: mallopt only stores the two numbers; no other thread runs yet.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, HEAP_UP_TO_BYTES);
        libc::mallopt(libc::M_TRIM_THRESHOLD, TRIM_ABOVE_BYTES);
    }
}
