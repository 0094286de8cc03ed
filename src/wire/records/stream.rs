//! The records of a batch, compressed or not, walked in steps of bounded size.
//!
//! Must never know the topic's rules, or why the records are looked at.

use bytes::Bytes;

use super::batch::{BatchHeader, HEADER_BYTES};
use super::codec::Codec;
use super::error::BatchError;
use super::inflate::{Inflater, Scratch};
use super::walk::{RecordFacts, RecordWalk};

/// What a piece costs at least, however little is in it: starting a gzip member or a zstd frame takes time too.
const PIECE_COST: usize = 4 * 1024;

/// A walk over the records of one batch.
pub struct RecordStream {
    records: Records,
    walk: RecordWalk,
}

enum Records {
    /// Uncompressed, with the position of the next.
    Plain { batch: Bytes, at: usize },
    /// Compressed; `None` once all are inflated.
    Compressed(Option<Inflater>),
}

impl RecordStream {
    /// The walk over `batch`, exactly one batch whose header has been read.
    ///
    /// # Errors
    /// [`BatchError::UnsupportedCompression`].
    pub fn open(
        batch: &Bytes,
        header: &BatchHeader,
        max_inflated: u64,
        scratch: &mut Scratch,
    ) -> Result<RecordStream, BatchError> {
        let records = match header.attributes().codec()? {
            Codec::None => Records::Plain {
                batch: batch.clone(),
                at: HEADER_BYTES,
            },
            codec => {
                let compressed = batch.slice(HEADER_BYTES..);
                let inflater = Inflater::open(codec, compressed, max_inflated, scratch);
                Records::Compressed(Some(inflater))
            }
        };
        Ok(RecordStream {
            records,
            walk: RecordWalk::new(u32::try_from(header.record_count()).unwrap_or(0)),
        })
    }

    /// Walks about `budget` bytes, or one piece of the codec if that is more; true once all records have been walked.
    ///
    /// # Errors
    /// Damaged or missing records, bytes behind them, more than `max_inflated` bytes, and whatever `visit` gives.
    pub fn step(
        &mut self,
        scratch: &mut Scratch,
        budget: usize,
        visit: impl FnMut(RecordFacts) -> Result<(), BatchError>,
    ) -> Result<bool, BatchError> {
        let ended = match &mut self.records {
            Records::Plain { batch, at } => {
                let left = &batch[*at..];
                let piece = &left[..left.len().min(budget)];
                self.walk.feed(piece, visit)?;
                *at += piece.len();
                *at == batch.len()
            }
            Records::Compressed(open) => {
                let ended = step_compressed(open.as_mut(), &mut self.walk, budget, visit)?;
                if let Some(inflater) = open.take_if(|_| ended) {
                    inflater.close(scratch);
                }
                ended
            }
        };
        if ended {
            self.walk.finish()?;
        }
        Ok(ended)
    }
}

/// Inflates and walks; true once nothing is left.
fn step_compressed(
    inflater: Option<&mut Inflater>,
    walk: &mut RecordWalk,
    mut budget: usize,
    mut visit: impl FnMut(RecordFacts) -> Result<(), BatchError>,
) -> Result<bool, BatchError> {
    let Some(inflater) = inflater else {
        return Ok(true);
    };
    while budget > 0 {
        match inflater.next_piece() {
            Ok(Some(piece)) => {
                budget = budget.saturating_sub(piece.len().max(PIECE_COST));
                walk.feed(piece, &mut visit)?;
            }
            Ok(None) => return Ok(true),
            Err(error) => return Err(inflater.fault(error)),
        }
    }
    Ok(false)
}
