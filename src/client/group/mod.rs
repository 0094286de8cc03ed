//! A member of a consumer group, by the classic protocol: joins, takes its share, sends heartbeats, commits, leaves.
//!
//! ```text
//! join ─▶ JoinGroup ─▶ (as leader: share out) SyncGroup ─▶ OffsetFetch ─▶ Consumers at the committed offsets
//!   ▲                                                                      │ poll: records      pulse: Heartbeats
//!   └── REBALANCE_IN_PROGRESS: commit what was consumed, give all up ◀─────┘
//! ```
//!
//! Eager: at each rebalance everything is given up and shared out anew. Heartbeats come from a thread, so a member may work for
//! `max.poll.interval.ms` between two polls before it loses its share.
//!
//! Every `metadata.max.age.ms` the leader looks whether its topics have other partitions than it shared out, and a member of a pattern
//! whether it means other topics; either joins anew then, and with it all the others.
//!
//! | file | what it is for |
//! |---|---|
//! | `member` | the requests to the coordinator |
//! | `pulse` | heartbeats, on a thread |
//! | `protocol` | what stands in the bytes of subscriptions and assignments |
//! | `assignors` | who gets which partition |

mod assignors;
mod member;
mod protocol;
mod pulse;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::cluster::{Cluster, TopicInfo};
use super::consumer::{Consumer, ConsumerOptions, FetchedPartition};
use super::error::ClientError;
use super::offsets::{OffsetQuery, list_offsets};
use crate::wire::ErrorCode;
use member::Member;
use pulse::Pulse;

pub use protocol::TopicPartitions;

/// How to be a member.
#[derive(Debug, Clone)]
pub struct GroupOptions {
    /// The group's name.
    pub group_id: String,
    /// Set for a static member (KIP-345), which keeps its share over a restart.
    pub instance_id: Option<String>,
    /// Without a heartbeat for so long the coordinator takes the member for gone.
    pub session_timeout: Duration,
    /// How long a rebalance may wait for a member, and how long the member may be silent between two polls.
    pub rebalance_timeout: Duration,
    /// Time between two heartbeats.
    pub heartbeat_interval: Duration,
    /// How often what was consumed is committed; `None`: never.
    pub commit_interval: Option<Duration>,
    /// Where to begin without a committed offset.
    pub reset: OffsetReset,
    /// How often it looks for new partitions and, of a pattern, new topics.
    pub metadata_max_age: Duration,
    /// How to fetch.
    pub fetch: ConsumerOptions,
}

/// `auto.offset.reset`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OffsetReset {
    /// At the oldest record.
    Earliest,
    /// At what arrives from now on.
    Latest,
    /// Nowhere: it is an error.
    None,
}

/// Each topic of a share costs connections of its own: so many a member reads at most.
pub const TOPICS_MAX: usize = 64;

/// Makes connections to the cluster: the coordinator and each topic get their own.
pub type Connect<'a> = Box<dyn FnMut() -> Result<Cluster, ClientError> + 'a>;

/// Finds the topics that a pattern means now.
pub type Discover<'a> = Box<dyn FnMut(&mut Cluster) -> Result<Vec<String>, ClientError> + 'a>;

/// A consumer that shares its topics with the other members of its group.
pub struct GroupConsumer<'a> {
    connect: Connect<'a>,
    options: GroupOptions,
    member: Member,
    pulse: Pulse,
    /// The topics that are subscribed to.
    topics: Vec<String>,
    /// Of the share, by topic.
    consumers: BTreeMap<String, Consumer>,
    /// Offsets of the next records to read that were told with [`GroupConsumer::consumed`] and are not committed.
    uncommitted: BTreeMap<(String, i32), i64>,
    committed_at: Instant,
    /// Of a subscription by pattern.
    discover: Option<Discover<'a>>,
    looked_at: Instant,
    joining: Duration,
}

impl<'a> GroupConsumer<'a> {
    /// A member-to-be; it joins with the first [`GroupConsumer::poll`].
    ///
    /// # Errors
    /// When the cluster cannot be reached.
    pub fn new(
        mut connect: Connect<'a>,
        topics: Vec<String>,
        options: GroupOptions,
    ) -> Result<GroupConsumer<'a>, ClientError> {
        let member = Member::new(connect()?, &options);
        let pulse = Pulse::start(Member::new(connect()?, &options), &options)?;
        Ok(GroupConsumer {
            connect,
            options,
            member,
            pulse,
            topics,
            consumers: BTreeMap::new(),
            uncommitted: BTreeMap::new(),
            committed_at: Instant::now(),
            discover: None,
            looked_at: Instant::now(),
            joining: Duration::ZERO,
        })
    }

    /// How long it has taken to join so far, all rebalances together.
    pub fn time_joining(&self) -> Duration {
        self.joining
    }

    /// The topics are not a fixed list: what this finds is subscribed to, and looked for again and again.
    #[must_use]
    pub fn following(mut self, discover: Discover<'a>) -> GroupConsumer<'a> {
        self.discover = Some(discover);
        self
    }

    /// The next batches of the share, with their topics; empty after a wait without any, and after a rebalance.
    ///
    /// # Errors
    /// What does not pass; no committed offset with [`OffsetReset::None`].
    pub fn poll(&mut self) -> Result<Vec<(String, FetchedPartition)>, ClientError> {
        if !self.member.has_joined() {
            let began = Instant::now();
            self.join()?;
            self.joining += began.elapsed();
            self.pulse.speak_for(self.member.identity());
        }
        match self.pulse.polled() {
            Ok(()) => {}
            Err(error) if rejoins(&error) => {
                self.member.is_told(&error);
                self.give_up()?;
                return Ok(Vec::new());
            }
            Err(error) => return Err(error),
        }
        self.commit_if_due()?;
        if self.is_to_share_anew()? {
            self.give_up()?;
            return Ok(Vec::new());
        }
        if self.consumers.is_empty() {
            // Nothing is ours: wait for the next rebalance as a fetch would.
            let wait = u64::try_from(self.options.fetch.max_wait_ms).unwrap_or(0);
            std::thread::sleep(Duration::from_millis(wait));
        }
        self.fetch()
    }

    /// Looks, when it is time to, whether there are other topics or partitions than those of the present generation.
    fn is_to_share_anew(&mut self) -> Result<bool, ClientError> {
        if self.looked_at.elapsed() < self.options.metadata_max_age {
            return Ok(false);
        }
        self.looked_at = Instant::now();
        if let Some(discover) = &mut self.discover {
            let found = self.member.find(discover)?;
            if found != self.topics {
                self.topics = found;
                return Ok(true);
            }
        }
        self.member.would_share_out_anew()
    }

    fn fetch(&mut self) -> Result<Vec<(String, FetchedPartition)>, ClientError> {
        let mut fetched = Vec::new();
        for (topic, consumer) in &mut self.consumers {
            match consumer.poll() {
                Ok(found) => fetched.extend(found.into_iter().map(|data| (topic.clone(), data))),
                Err(error) => {
                    let reset = self.options.reset;
                    consumer.reset_out_of_range(error, reset)?;
                }
            }
        }
        Ok(fetched)
    }

    /// Tells that all records of a partition before `next` are done with: what a commit will say.
    pub fn consumed(&mut self, topic: &str, partition: i32, next: i64) {
        self.uncommitted.insert((topic.to_owned(), partition), next);
    }

    /// Commits what was told with [`GroupConsumer::consumed`].
    ///
    /// # Errors
    /// When the coordinator refuses; nothing is forgotten then.
    pub fn commit(&mut self) -> Result<(), ClientError> {
        self.committed_at = Instant::now();
        if self.uncommitted.is_empty() {
            return Ok(());
        }
        self.member.commit(&self.uncommitted)?;
        self.uncommitted.clear();
        Ok(())
    }

    /// Commits, if commits are wanted, and leaves the group, so that the others need not wait for the session to end.
    ///
    /// # Errors
    /// When either cannot be done; the member is gone all the same, when its session ends.
    pub fn leave(mut self) -> Result<(), ClientError> {
        if !self.member.has_joined() {
            return Ok(());
        }
        let committed = match self.options.commit_interval {
            Some(_) => self.commit(),
            None => Ok(()),
        };
        self.pulse.rest();
        committed.and(self.member.leave())
    }

    fn commit_if_due(&mut self) -> Result<(), ClientError> {
        let due = |interval| self.committed_at.elapsed() >= interval;
        if !self.options.commit_interval.is_some_and(due) {
            return Ok(());
        }
        match self.commit() {
            // The next heartbeat will lead to the rebalance.
            Err(error) if rejoins(&error) => Ok(()),
            done => done,
        }
    }

    /// Before a rebalance: commits while the share is still ours, then lets go of it.
    fn give_up(&mut self) -> Result<(), ClientError> {
        self.consumers.clear();
        if self.options.commit_interval.is_some() && self.member.has_generation() {
            match self.commit() {
                // Too late: another member may have the partitions, and reads the records again.
                Err(error) if rejoins(&error) => self.uncommitted.clear(),
                done => done?,
            }
        }
        self.uncommitted.clear();
        self.pulse.rest();
        self.member.must_rejoin();
        Ok(())
    }

    fn join(&mut self) -> Result<(), ClientError> {
        self.consumers.clear();
        self.uncommitted.clear();
        let share = self.member.join(&self.topics)?;
        let committed = self.member.committed(&share)?;
        if share.len() > TOPICS_MAX {
            return Err(ClientError::Broker {
                what: format!("{} topics at once", share.len()),
                code: ErrorCode::INVALID_REQUEST,
                message: Some(format!("a member reads {TOPICS_MAX} topics at most")),
            });
        }
        let mut fetch = self.options.fetch.clone();
        // The topics are asked one after the other: their waits add up.
        fetch.max_wait_ms =
            (fetch.max_wait_ms / i32::try_from(share.len().max(1)).unwrap_or(1)).max(10);
        for (name, partitions) in share {
            if partitions.is_empty() {
                continue;
            }
            let mut cluster = (self.connect)()?;
            let topic = cluster.topic(&name, false)?;
            let mut positions = BTreeMap::new();
            let mut unknown = Vec::new();
            for partition in partitions {
                match committed.get(&(name.clone(), partition)) {
                    Some(&offset) => {
                        positions.insert(partition, offset);
                    }
                    None => unknown.push(partition),
                }
            }
            positions.extend(self.begin(&mut cluster, &topic, &unknown)?);
            let consumer = Consumer::new(cluster, &topic, positions, fetch.clone());
            self.consumers.insert(name, consumer);
        }
        Ok(())
    }

    /// Where partitions without a committed offset are read from.
    fn begin(
        &self,
        cluster: &mut Cluster,
        topic: &TopicInfo,
        partitions: &[i32],
    ) -> Result<BTreeMap<i32, i64>, ClientError> {
        let Some(first) = partitions.first() else {
            return Ok(BTreeMap::new());
        };
        let query = match self.options.reset {
            OffsetReset::Earliest => OffsetQuery::Earliest,
            OffsetReset::Latest => OffsetQuery::Latest,
            OffsetReset::None => {
                return Err(ClientError::Broker {
                    what: format!("{}-{first}", topic.name),
                    code: ErrorCode::OFFSET_OUT_OF_RANGE,
                    message: Some(format!(
                        "Undefined offset with no reset policy for partitions: [{}-{first}]",
                        topic.name
                    )),
                });
            }
        };
        list_offsets(
            cluster,
            topic,
            partitions,
            query,
            self.options.fetch.read_committed,
        )
    }
}

/// Whether an error of the coordinator means that the member is to join again.
fn rejoins(error: &ClientError) -> bool {
    matches!(
        error.code(),
        Some(
            ErrorCode::REBALANCE_IN_PROGRESS
                | ErrorCode::ILLEGAL_GENERATION
                | ErrorCode::UNKNOWN_MEMBER_ID
        )
    )
}
