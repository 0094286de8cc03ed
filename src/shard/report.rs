//! What this core says of itself when it is asked: its partitions and what waits in it.

use super::Shard;
use crate::metrics::{CoreReport, PartitionRow};
use std::rc::Rc;

/// Partitions that are looked at before the core serves others.
const PARTITIONS_A_SLICE: usize = 256;

impl Shard {
    /// The state of this core. Looks at all its partitions, in slices.
    pub async fn report(self: &Rc<Self>) -> CoreReport {
        let image = self.image();
        let mut report = CoreReport {
            offline: self.offline.len() as u64,
            mesh_waiting: self.mesh.waiting() as u64,
            fetches_waiting: self.waits.len() as u64,
            topics: image.topic_count() as u64,
            all_partitions: image
                .topics()
                .map(|topic| topic.partitions.len() as u64)
                .sum(),
            ..CoreReport::default()
        };
        let partitions: Vec<_> = self.partitions.borrow().values().cloned().collect();
        for slice in partitions.chunks(PARTITIONS_A_SLICE) {
            for partition in slice {
                let log = &partition.log;
                report.read_only += u64::from(log.failure().is_some());
                report.staged_bytes += log.staged_bytes() as u64;
                report.partitions.push(PartitionRow {
                    topic: partition.topic.to_string(),
                    partition: partition.index,
                    log_start_offset: log.log_start_offset().0,
                    log_end_offset: log.log_end_offset().0,
                    high_watermark: log.high_watermark().0,
                    size_bytes: log.size_bytes(),
                    segments: log.segments_len() as u64,
                });
            }
            glommio::executor().yield_now().await;
        }
        report.partition_count = partitions.len() as u64;
        let executor = glommio::executor().executor_stats();
        report.scheduler_runs = executor.scheduler_runs();
        report.tasks_run = executor.tasks_executed();
        report.busy_ns = u64::try_from(executor.total_runtime().as_nanos()).unwrap_or(u64::MAX);
        let rings = glommio::executor().io_stats().all_rings();
        report.ring_reads = rings.file_buffered_reads();
        report.ring_writes = rings.file_buffered_writes();
        report
    }
}
