//! Work inside the CPU: copying, and the checksum of record batches.

use std::hint::black_box;

use vltava::wire::records::crc;

use super::{Bench, repeat};
use crate::result::Figure;
use crate::run::BenchError;

/// Fits into the cache of a core.
const CACHED_BYTES: usize = 64 << 10;
/// Fits into no cache.
const UNCACHED_BYTES: usize = 256 << 20;
/// As a large record batch.
const BATCH_BYTES: usize = 1 << 20;
/// Looking at the clock must cost nothing beside the work.
const REPEATS: usize = 64;

/// `memcpy`, in the cache and beyond it.
///
/// # Errors
/// When the CPU cannot be used.
pub fn copy(bench: &Bench) -> Result<Vec<Figure>, BenchError> {
    bench.on_first_cpu(|| {
        let mut figures = Vec::new();
        for (name, bytes, repeats) in [
            ("memcpy, 64 KiB in the cache", CACHED_BYTES, REPEATS),
            ("memcpy, 256 MiB in memory", UNCACHED_BYTES, 1),
        ] {
            let from = vec![1_u8; bytes];
            let mut to = vec![2_u8; bytes];
            let amount = repeat(bench.length, || {
                for _ in 0..repeats {
                    to.copy_from_slice(black_box(&from));
                    black_box(&mut to);
                }
                Ok((bytes * repeats) as u64)
            })?;
            figures.extend(amount.figures(name));
        }
        Ok(figures)
    })
}

/// The checksum over a batch of a megabyte.
///
/// # Errors
/// When the CPU cannot be used.
pub fn crc32c(bench: &Bench) -> Result<Vec<Figure>, BenchError> {
    bench.on_first_cpu(|| {
        let batch = vec![0x5a_u8; BATCH_BYTES];
        let amount = repeat(bench.length, || {
            for _ in 0..REPEATS {
                black_box(crc::crc32c(black_box(&batch)));
            }
            Ok((BATCH_BYTES * REPEATS) as u64)
        })?;
        Ok(amount.figures("CRC-32C of 1 MiB"))
    })
}
