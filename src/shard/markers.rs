//! placeholder until the log half is merged
use super::{PartitionFault, Shard};
use crate::types::PartitionKey;
use std::rc::Rc;

#[derive(Clone, Copy, Debug)]
pub struct MarkerPart { pub key: PartitionKey, pub producer_id: i64, pub producer_epoch: i16, pub coordinator_epoch: i32, pub committed: bool }
impl Shard {
    pub async fn write_markers_of(self: &Rc<Self>, _: i16, parts: Vec<MarkerPart>) -> Vec<Result<(), PartitionFault>> { vec![Ok(()); parts.len()] }
}
