//! One core: the partitions it owns, the messages it exchanges with the others, the fetches that wait on it.
//!
//! A partition lives on one core; the owner is the only one that changes it. [`Shard`] is what [`crate::api`] sees of all
//! cores at once: each operation finds the owners, asks them (itself without a message), and gathers the answers in order.
//! Only this room touches the mesh. It knows topics and partitions, never the wire's layout.

mod administration;
mod admission;
mod append;
mod changes;
mod compacted;
mod compaction;
mod controller;
mod coordinators;
mod dirs;
mod everywhere;
mod groups;
mod install;
mod lookup;
mod markers;
mod mesh;
mod message;
mod offline;
mod opening;
mod partition;
mod placement;
mod presence;
mod producer_ids;
mod read;
mod report;
mod serve;
mod signal;
mod startup;
mod ticks;
mod transactions;
mod waits;
mod wanted;
mod watches;

pub use administration::{PartitionQuestion, PartitionReply, ProducerDescription, Question, Reply};
pub use admission::{Admission, Admitted};
pub use changes::{Change, ChangeError, ChangeOutcome, LEADER};
pub use compaction::Compaction;
pub use controller::{Controller, ControllerError, Inherited, take_batch};
pub use coordinators::CoordinatorFault;
pub use dirs::{Dir, Dirs};
pub use groups::GroupOutcome;
pub use lookup::EpochEnd;
pub use markers::MarkerPart;
pub use mesh::MeshEntrance;
pub use message::{
    AppendOutcome, AppendPart, EpochQuery, FoundOffset, InstallReport, Message, OffsetOutcome,
    OffsetQuery, PartitionCheckpoint, PartitionFault, Wanted,
};
pub use opening::Opening;
pub use partition::Partition;
pub use read::{FetchSpec, PartitionRead, ReadOutcome, ReadPart};
pub use signal::Signal;
pub use startup::Startup;
pub use transactions::TransactionOutcome;

use crate::config::{BrokerConfig, TopicConfig};
use crate::log::WrittenCheckpoint;
use crate::metadata::{Image, MetaProperties};
use crate::types::{PartitionKey, ShardId, TopicId};
use glommio::net::AcceptedTcpStream;
use glommio::sync::Semaphore;
use groups::Groups;
use mesh::{Joined, Mesh};
use offline::Offline;
use producer_ids::ProducerIds;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;
use transactions::Transactions;
use waits::Waits;
use watches::Watches;

/// What is done with a connection that another core hands over: the socket, the index of its listener, its admission.
pub type Adopt = Box<dyn Fn(AcceptedTcpStream, usize, Admitted)>;

/// What is done, besides what follows by itself, when the broker's settings change.
pub type FollowConfig = Box<dyn Fn(&BrokerConfig)>;

/// One core of the broker.
pub struct Shard {
    mesh: Rc<Mesh>,
    /// The broker's configuration as it was started. What can change while it runs is in [`Shard::live`].
    pub config: Arc<BrokerConfig>,
    live: RefCell<Rc<BrokerConfig>>,
    on_live: RefCell<Option<FollowConfig>>,
    /// This node.
    pub node_id: i32,
    /// The cluster it is.
    pub cluster_id: String,
    dirs: Arc<Dirs>,
    image: RefCell<Arc<Image>>,
    topics: RefCell<HashMap<TopicId, Rc<TopicConfig>>>,
    partitions: RefCell<HashMap<PartitionKey, Rc<Partition>>>,
    /// Partitions of this core whose log could not be opened.
    offline: Offline,
    /// Who changes which logs are open.
    installing: Semaphore,
    watches: Rc<Watches>,
    waits: Rc<Waits>,
    groups: Rc<Groups>,
    transactions: Rc<Transactions>,
    producer_ids: ProducerIds,
    /// The settings of which it has been said that more replicas were asked for than there are brokers.
    told_of_replication: RefCell<HashSet<&'static str>>,
    startup: RefCell<Option<Startup>>,
    /// The checkpoint of written positions.
    pub written: Arc<WrittenCheckpoint>,
    compaction: Arc<Compaction>,
    controller: RefCell<Option<Rc<Controller>>>,
    adopt: RefCell<Option<Adopt>>,
    /// One checkpoint of offsets at a time, from looking at the logs to the file.
    pub checkpointing: Semaphore,
    /// Raised when connections may be accepted.
    pub open: Rc<Signal>,
    /// Raised when the broker stops: waiting fetches answer at once, no new connection is taken.
    pub draining: Rc<Signal>,
    /// Raised when the core's last connection has gone after `draining`.
    pub drained: Rc<Signal>,
}

impl Shard {
    /// Joins a core to the mesh and starts to serve the others' calls.
    pub fn start(
        (senders, receivers): Joined,
        config: Arc<BrokerConfig>,
        identity: &MetaProperties,
        dirs: Arc<Dirs>,
        startup: Startup,
    ) -> Rc<Shard> {
        let shard = Rc::new(Shard {
            mesh: Mesh::new(senders),
            groups: Groups::new(groups::settings(&config)),
            transactions: Transactions::new(transactions::settings(&config, &Image::default())),
            producer_ids: ProducerIds::default(),
            told_of_replication: RefCell::default(),
            live: RefCell::new(Rc::new((*config).clone())),
            on_live: RefCell::new(None),
            config,
            node_id: identity.node_id,
            cluster_id: identity.cluster_id.clone(),
            dirs,
            image: RefCell::default(),
            topics: RefCell::default(),
            partitions: RefCell::default(),
            offline: Offline::default(),
            installing: Semaphore::new(1),
            watches: Rc::default(),
            waits: Rc::default(),
            compaction: Arc::clone(&startup.compaction),
            written: Arc::clone(&startup.written),
            startup: RefCell::new(Some(startup)),
            controller: RefCell::new(None),
            adopt: RefCell::new(None),
            checkpointing: Semaphore::new(1),
            open: Signal::new(),
            draining: Signal::new(),
            drained: Signal::new(),
        });
        shard.receive_from_all(receivers);
        shard
    }

    /// This core.
    pub fn me(&self) -> ShardId {
        self.mesh.me()
    }

    /// The number of cores.
    pub fn cores(&self) -> usize {
        self.mesh.cores()
    }

    /// The metadata that this core works with.
    pub fn image(&self) -> Arc<Image> {
        Arc::clone(&self.image.borrow())
    }

    /// The configuration in force for a topic.
    pub fn topic_config(&self, topic: &TopicId) -> Option<Rc<TopicConfig>> {
        self.topics.borrow().get(topic).cloned()
    }

    /// The broker's configuration as it holds now, with what the metadata log says.
    pub fn live(&self) -> Rc<BrokerConfig> {
        Rc::clone(&self.live.borrow())
    }

    /// What to do besides when [`Shard::live`] changes; done at once for what holds now.
    pub fn on_live(&self, follow: FollowConfig) {
        follow(&self.live());
        *self.on_live.borrow_mut() = Some(follow);
    }

    /// Whether the broker is stopping.
    pub fn is_draining(&self) -> bool {
        self.draining.is_raised()
    }

    /// What to do with connections that other cores hand over.
    pub fn on_adopt(&self, adopt: Adopt) {
        *self.adopt.borrow_mut() = Some(adopt);
    }

    /// Hands a connection to another core.
    pub fn hand_over(&self, to: ShardId, socket: AcceptedTcpStream, listener: usize, by: Admitted) {
        self.mesh.post(to, Message::Adopt(socket, listener, by));
    }

    /// The core that owns a partition.
    pub fn owner(&self, key: &PartitionKey) -> ShardId {
        placement::owner(key, self.mesh.cores())
    }

    fn partition(&self, key: &PartitionKey) -> Result<Rc<Partition>, PartitionFault> {
        let partitions = self.partitions.borrow();
        partitions
            .get(key)
            .cloned()
            .ok_or_else(|| match self.offline.contains(key) {
                true => PartitionFault::Offline,
                false => PartitionFault::NotHere,
            })
    }

    /// Tells waiting fetches, here or on other cores.
    fn tell(&self, told: Vec<(ShardId, u64)>) {
        for (core, id) in told {
            if core == self.me() {
                self.waits.fired(id);
            } else {
                self.mesh.post(core, Message::Fired(id));
            }
        }
    }
}
