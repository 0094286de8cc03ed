//! temporary
#![allow(missing_docs)]
use super::*;
use bytes::Bytes;
pub struct Batch(Bytes);
pub struct Rec { pub value: Option<Bytes> }
pub fn batches(mut data: Bytes) -> impl Iterator<Item = Result<Batch, BatchError>> {
    std::iter::from_fn(move || {
        if data.is_empty() { return None; }
        let size = match BatchHeader::read(&data) { Ok(h) => h.total_size(), Err(e) => return Some(Err(e)) };
        Some(Ok(Batch(data.split_to(size))))
    })
}
impl Batch {
    pub fn header(&self) -> &BatchHeader { BatchHeader::read(&self.0).unwrap() }
    pub fn records(&self) -> impl Iterator<Item = Result<Rec, BatchError>> {
        let mut left = &self.0[HEADER_BYTES..];
        let mut out = vec![];
        while !left.is_empty() {
            let n = super::varint::take_i32(&mut left).unwrap() as usize;
            let (a, b) = left.split_at(n);
            left = b;
            let r = super::record::RawRecord::parse(a).unwrap();
            out.push(Ok(Rec { value: r.value.map(Bytes::copy_from_slice) }));
        }
        out.into_iter()
    }
}
