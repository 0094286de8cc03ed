//! Coordinators on their cores, whatever they decide for: groups, transactions.
//!
//! A coordinator belongs to one partition of its topic; the core that owns the partition has it. [`host`] carries out what a
//! [`StateMachine`](crate::coordinator::StateMachine) wants: answers to whoever waits, records to the partition's log, errands.
//! [`load`] feeds it the log after a start, [`alarm`] wakes it when somebody's time is up.

mod alarm;
mod host;
mod load;
mod topic;

pub(super) use host::{Host, RunErrand, Surroundings};

use super::message::{Answer, Call};
use super::{Partition, Shard, groups, transactions};
use crate::coordinator::{Now, StateMachine};
use crate::metadata::Topic;
use crate::metadata::image::TopicChanges;
use crate::metadata::topic_name::{GROUP_METADATA_TOPIC, TRANSACTION_STATE_TOPIC};
use crate::types::{PartitionKey, ShardId, TimestampMs};
use crate::wire::records::Codec;
use alarm::Alarm;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};
use thiserror::Error;

/// Why no coordinator decides, here and now. Clients try again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum CoordinatorFault {
    /// It is still reading what it knew before the start.
    #[error("the coordinator is loading")]
    Loading,
    /// There is none here: its partition does not exist, or could not be loaded.
    #[error("this is not the coordinator")]
    NotCoordinator,
    /// The broker is stopping.
    #[error("the coordinator is not available")]
    NotAvailable,
}

/// The coordinators of one core, by partition of their topic.
pub(super) struct Coordinators<M: StateMachine> {
    hosts: RefCell<HashMap<i32, Rc<Host<M>>>>,
    settings: Cell<M::Settings>,
    alarm: Rc<Alarm>,
    began: Instant,
}

fn now(began: Instant) -> Now {
    Now {
        monotonic_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        wall: TimestampMs::now(),
    }
}

impl<M: StateMachine> Coordinators<M> {
    /// No coordinator yet.
    pub fn new(settings: M::Settings) -> Rc<Coordinators<M>> {
        Rc::new(Coordinators {
            hosts: RefCell::default(),
            settings: Cell::new(settings),
            alarm: Rc::default(),
            began: Instant::now(),
        })
    }

    /// The time, as coordinators see it.
    pub fn now(&self) -> Now {
        now(self.began)
    }

    /// Works with new settings.
    pub fn follow(&self, settings: M::Settings) {
        self.settings.set(settings);
        for host in self.all() {
            host.follow(settings);
        }
    }

    /// Those that are here.
    pub fn all(&self) -> Vec<Rc<Host<M>>> {
        self.hosts.borrow().values().cloned().collect()
    }

    /// The coordinator of a partition of the topic.
    ///
    /// # Errors
    /// It is not here.
    pub fn host(&self, partition: i32) -> Result<Rc<Host<M>>, CoordinatorFault> {
        let hosts = self.hosts.borrow();
        hosts
            .get(&partition)
            .cloned()
            .ok_or(CoordinatorFault::NotCoordinator)
    }

    /// The coordinator has decided when this returns; the future is the wait for its answer.
    pub fn ask(
        &self,
        partition: i32,
        request: M::Request,
    ) -> impl Future<Output = Result<M::Answer, CoordinatorFault>> + 'static + use<M> {
        let asked = self
            .host(partition)
            .and_then(|host| host.ask(self.now(), request));
        async move { asked?.await }
    }

    /// Asks all that are here, and joins their answers. What cannot be loaded has nothing that could be told.
    pub fn ask_all<T: 'static>(
        &self,
        request: &M::Request,
        items: fn(M::Answer) -> Vec<T>,
    ) -> impl Future<Output = Result<Vec<T>, CoordinatorFault>> + 'static + use<M, T>
    where
        M::Request: Clone,
    {
        let (now, hosts) = (self.now(), self.all());
        let ask = |host: &Rc<Host<M>>| host.ask(now, request.clone());
        let asked: Vec<_> = hosts.iter().map(ask).collect();
        async move {
            let mut all = Vec::new();
            for answer in asked {
                match answer {
                    Ok(answer) => all.extend(items(answer.await?)),
                    Err(CoordinatorFault::NotCoordinator) => {}
                    Err(fault) => return Err(fault),
                }
            }
            Ok(all)
        }
    }

    /// A partition of the topic is this core's now: its coordinator begins. It decides nothing before it is loaded.
    pub fn begin(
        &self,
        key: PartitionKey,
        partition: &Rc<Partition>,
        codec: Codec,
        run: RunErrand<M>,
    ) -> Rc<Host<M>> {
        let surroundings = Surroundings {
            codec,
            settings: self.settings.get(),
            alarm: Rc::clone(&self.alarm),
            began: self.began,
            run,
        };
        let host = Host::start(key.topic_id, Rc::clone(partition), surroundings);
        let mut hosts = self.hosts.borrow_mut();
        hosts.insert(key.partition, Rc::clone(&host));
        host
    }

    /// Topics are gone, and the coordinators of their partitions with them.
    pub fn forget(&self, removed: &[Arc<Topic>]) {
        for topic in removed {
            let mut hosts = self.hosts.borrow_mut();
            let gone: Vec<_> = hosts
                .extract_if(|_, host| host.topic_id() == topic.id)
                .collect();
            drop(hosts);
            gone.iter().for_each(|(_, host)| host.unload());
        }
    }

    /// Answers everyone who waits and decides nothing more.
    pub fn unload(&self) {
        let hosts: Vec<_> = self.hosts.borrow_mut().drain().collect();
        for (_, host) in hosts {
            host.unload();
        }
    }

    /// Wakes coordinators when somebody's time is up, for as long as the core runs. Nothing ticks when nothing is due.
    pub async fn tick_for_ever(self: Rc<Self>) {
        loop {
            let due = self
                .all()
                .iter()
                .filter_map(|host| host.next_deadline())
                .min();
            self.alarm.set(due);
            match due {
                None => self.alarm.moved().await,
                Some(due) => {
                    let wait = due.saturating_sub(self.now().monotonic_ms);
                    let sleep = glommio::timer::sleep(Duration::from_millis(wait));
                    futures_lite::future::or(self.alarm.moved(), sleep).await;
                }
            }
            let now = self.now();
            for host in self.all() {
                if host
                    .next_deadline()
                    .is_some_and(|due| due <= now.monotonic_ms)
                {
                    host.decide(|machine| machine.tick(now));
                }
            }
        }
    }
}

impl Shard {
    /// The partition of a coordinators' topic that a name belongs to, and its owner.
    pub(super) fn coordinator_of(
        &self,
        topic: &str,
        name: &str,
    ) -> Result<(PartitionKey, ShardId), CoordinatorFault> {
        let image = self.image();
        let topic = image
            .topic_by_name(topic)
            .ok_or(CoordinatorFault::NotCoordinator)?;
        let key = PartitionKey {
            topic_id: topic.id,
            partition: partition_of(name, topic.partitions.len()),
        };
        Ok((key, self.owner(&key)))
    }

    /// What the coordinators of all cores have.
    ///
    /// # Errors
    /// As soon as one cannot tell.
    pub(super) async fn gather<T>(
        self: &Rc<Self>,
        here: impl Future<Output = Result<Vec<T>, CoordinatorFault>>,
        call: impl Fn() -> Call,
        items: fn(Answer) -> Result<Vec<T>, CoordinatorFault>,
    ) -> Result<Vec<T>, CoordinatorFault> {
        let others: Vec<_> = (0..self.cores())
            .map(ShardId)
            .filter(|&core| core != self.me())
            .map(|core| self.mesh.call(core, call()))
            .collect();
        let mut all = here.await?;
        for pending in others {
            all.extend(items(pending.await)?);
        }
        Ok(all)
    }

    /// The image is another: coordinators work with the settings and features that hold now, and hear of topics that came and went.
    pub(super) fn tell_coordinators(&self, changes: &TopicChanges) {
        let live = self.live();
        self.groups.follow(groups::settings(&live));
        self.transactions
            .follow(transactions::settings(&live, &self.image()));
        self.name_topics(&changes.created);
        self.groups.forget(&changes.removed);
        self.transactions.forget(&changes.removed);
        self.forget_offsets(&changes.removed);
    }

    /// Wakes coordinators when their time comes, for as long as the core runs.
    pub fn tick_coordinators(&self) {
        glommio::spawn_local(Rc::clone(&self.groups).tick_for_ever()).detach();
        glommio::spawn_local(Rc::clone(&self.transactions).tick_for_ever()).detach();
    }

    /// A partition is this core's now; if it is one of a coordinators' topic, its coordinator loads.
    pub(super) fn host_coordinator(self: &Rc<Self>, key: PartitionKey, partition: &Rc<Partition>) {
        match &*partition.topic {
            GROUP_METADATA_TOPIC => self.host_groups(key, partition),
            TRANSACTION_STATE_TOPIC => self.host_transactions(key, partition),
            _ => {}
        }
    }
}

/// Loads a coordinator with reads of about `read_bytes`.
pub(super) async fn load<M: StateMachine>(host: &Rc<Host<M>>, read_bytes: u32) {
    load::load(host, read_bytes).await;
}

/// The partition that a name belongs to: Kafka's `abs(name.hashCode()) % partitions`, with the hash that Java gives a string
/// and its way to make it positive.
pub(super) fn partition_of(name: &str, partitions: usize) -> i32 {
    let hash = name.encode_utf16().fold(0i32, |hash, unit| {
        hash.wrapping_mul(31).wrapping_add(i32::from(unit))
    });
    let positive = hash & i32::MAX;
    positive % i32::try_from(partitions.max(1)).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_belongs_to_the_partition_that_javas_hash_says() {
        // What Java says for ("...".hashCode() & 0x7fffffff) % 50.
        assert_eq!(partition_of("", 50), 0);
        assert_eq!(partition_of("my-group", 50), 36);
        assert_eq!(partition_of("console-consumer-1", 50), 24);
        assert_eq!(partition_of("ž😀", 50), 1);
    }
}
