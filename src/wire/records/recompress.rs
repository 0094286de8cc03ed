//! The same batch in another codec. Pure: bytes in, bytes out; must never know the topic.

use bytes::Bytes;
use zerocopy::IntoBytes;

use super::batch::{BatchHeader, HEADER_BYTES, MAGIC_V2};
use super::codec::Codec;
use super::error::BatchError;
use super::inflate::{Scratch, inflate_all};
use super::validate::ValidatedBatch;

impl ValidatedBatch {
    /// The batch with its records in `codec`; they themselves and everything else in the header stay as they are. The records are in memory
    /// twice meanwhile: inflated, at most `max_inflated` bytes, and compressed anew.
    ///
    /// # Errors
    /// The records inflate to more than that.
    pub fn recompressed(
        &self,
        codec: Codec,
        max_inflated: u64,
        scratch: &mut Scratch,
    ) -> Result<ValidatedBatch, BatchError> {
        let stored = self.bytes.slice(HEADER_BYTES..);
        let records = match self.codec {
            Codec::None => stored,
            used => inflate_all(MAGIC_V2, used, stored, max_inflated, scratch)?.into(),
        };
        let mut bytes = codec.compress_behind(HEADER_BYTES, &records);
        let header = BatchHeader::read(&self.bytes)?.in_codec(codec);
        bytes[..HEADER_BYTES].copy_from_slice(header.as_bytes());
        BatchHeader::seal(&mut bytes);
        Ok(ValidatedBatch {
            bytes: Bytes::from(bytes),
            codec,
            ..self.clone()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::records::builder::BatchBuilder;
    use crate::wire::records::read::batches;

    fn batch(codec: Codec) -> ValidatedBatch {
        let mut builder = BatchBuilder::new(codec).producer(7, 1, 40);
        for number in 0..50_i64 {
            let value = vec![number as u8; 500];
            builder.append(1_000 - number, Some(b"key"), Some(&value), &[("h", None)]);
        }
        builder.build_validated()
    }

    #[test]
    fn any_codec_becomes_any_other_and_nothing_else_changes() {
        let mut scratch = Scratch::default();
        for from in Codec::ALL {
            for to in Codec::ALL {
                let made = batch(from).recompressed(to, 1 << 20, &mut scratch).unwrap();
                let direct = batch(to);
                assert_eq!(made.bytes, direct.bytes, "{from:?} to {to:?}");
                assert_eq!((made.codec, made.max_timestamp), (to, direct.max_timestamp));
                let read = batches(made.bytes).next().unwrap().unwrap();
                assert!(read.records(1 << 20, &mut scratch).is_ok());
            }
        }
    }

    #[test]
    fn what_inflates_to_too_much_is_refused() {
        let refused = batch(Codec::Gzip).recompressed(Codec::Lz4, 1000, &mut Scratch::default());
        assert!(refused.is_err());
    }
}
