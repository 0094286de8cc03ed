//! Memory that a guest has not touched for a while may be back with its host: the first to use it again pays for that, with
//! up to ten times the time. So it is touched right before each run, and given back to the kernel warm.

use std::fs;

use crate::broker_process::number_after;

const PAGE_BYTES: usize = 4096;
/// Beyond this no run needs it.
const WARM_BYTES_MAX: u64 = 5_000_000_000;

/// What to touch unless told otherwise: half of what is free, which leaves the page cache of brokers alone.
pub fn default_bytes() -> u64 {
    let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let free = number_after(&meminfo, "MemFree:").unwrap_or(0) * 1024;
    (free / 2).min(WARM_BYTES_MAX)
}

/// Touches so many bytes of memory.
pub fn touch(bytes: u64) {
    let mut memory = vec![0_u8; usize::try_from(bytes).unwrap_or(0)];
    for page in memory.chunks_mut(PAGE_BYTES) {
        page[0] = 1;
    }
    std::hint::black_box(&memory);
}
