//! What every core does at once: open the doors, drain, checkpoint, take note of a sync, close.

use super::Shard;
use super::message::{Answer, Call, PartitionCheckpoint};
use crate::types::ShardId;
use std::rc::Rc;

impl Shard {
    /// Every core accepts connections.
    pub async fn open_everywhere(self: &Rc<Self>) {
        self.open.raise();
        self.ask_others(|| Call::Open).await;
    }

    /// Every core answers what it has received and lets its connections go.
    pub async fn drain_everywhere(self: &Rc<Self>) {
        // Raised before the others are asked, so that no core accepts for another that no longer serves.
        self.draining.raise();
        let others = self.ask_others(|| Call::Drain);
        self.drain_here().await;
        others.await;
    }

    /// The checkpoints of all partitions on all cores.
    pub async fn checkpoint_everywhere(self: &Rc<Self>) -> Vec<PartitionCheckpoint> {
        let others = self.ask_others(|| Call::Checkpoint);
        let mut points = self.checkpoint_here();
        points.extend(checkpoints(others.await));
        points
    }

    /// Flushes and closes every log on every core.
    pub async fn close_everywhere(self: &Rc<Self>) -> Vec<PartitionCheckpoint> {
        let others = self.ask_others(|| Call::Close);
        let mut points = self.close_here().await;
        points.extend(checkpoints(others.await));
        points.extend(self.close_controller().await);
        points
    }

    /// Every core learns whether what was found at the start has been synced.
    pub(super) async fn recovered_everywhere(self: &Rc<Self>, synced: bool) {
        let call = match synced {
            true => || Call::Recovered(true),
            false => || Call::Recovered(false),
        };
        let others = self.ask_others(call);
        self.recovered_here(synced).await;
        others.await;
    }

    pub(super) async fn drain_here(&self) {
        self.draining.raise();
        // Whoever waits for a coordinator is told to find another.
        self.groups.unload();
        self.transactions.unload();
        self.drained.wait().await;
        let (me, crossings) = (self.me().0, self.mesh.crossings());
        log::debug!("core {me} has sent to other cores: {crossings}");
    }

    /// The calls are on their way when this returns; the future gathers the answers.
    fn ask_others(
        self: &Rc<Self>,
        call: fn() -> Call,
    ) -> impl Future<Output = Vec<Answer>> + use<> {
        let pending: Vec<_> = (0..self.cores())
            .map(ShardId)
            .filter(|&core| core != self.me())
            .map(|core| self.mesh.call(core, call()))
            .collect();
        async move {
            let mut answers = Vec::with_capacity(pending.len());
            for answer in pending {
                answers.push(answer.await);
            }
            answers
        }
    }
}

fn checkpoints(answers: Vec<Answer>) -> impl Iterator<Item = PartitionCheckpoint> {
    answers.into_iter().flat_map(|answer| match answer {
        Answer::Checkpoint(points) => points,
        other => unreachable!("a checkpoint was answered with {other:?}"),
    })
}
