//! Which nodes a client is told of, and what it means by the ids it sends.
//!
//! Usually there is one node, this broker. A listener with core listeners tells its clients of every core as a node instead: at the
//! listener's own address, where clients begin, and at the cores' addresses alike, so that a client never sees both kinds of ids. It is
//! an unmodified client's own routing that then takes each request to the core that owns what it is about:
//!
//! | asked | told |
//! |---|---|
//! | who leads a partition, has it, is in sync | the core that owns it: one leader, one replica, as there is |
//! | who coordinates a group | the core that owns its partition of `__consumer_offsets` |
//! | the controller | the first core, which makes the changes |
//! | the voters of the metadata log (DescribeQuorum) | the broker: no client connects to them by these ids |
//!
//! In requests (assignments of replicas, settings of a broker) either id of this broker is taken; the metadata log has the broker's only. A new
//! topic's replicas may so be assigned to any core, and are told to be where they come to lie; to move one to another core is refused.
//!
//! What AdminClients ask of every node and add up (ListGroups, DescribeLogDirs) is answered at a core's address for that core alone. All else
//! is served wherever it comes in, over the mesh if it belongs to another core: a client that has not heard yet of a restart
//! with another number of cores goes on working, and moves when it next asks for Metadata. So no answer to Produce or Fetch has to name
//! another leader.

use super::core_ids::CoreIds;
use super::{Asked, Endpoint};
use crate::shard::{LEADER, Shard};
use crate::types::{PartitionKey, ShardId};
use crate::wire::Text;

/// One way in: an address that is listened on, and what those are told who come by it.
#[derive(Clone, Debug)]
pub struct Door {
    /// The listener's address.
    pub listener: Endpoint,
    /// The cores' addresses, if this listener's clients are told of cores.
    pub cores: Option<CoreDoors>,
    /// Who comes in here has chosen this core and stays on it.
    pub to_one_core: bool,
}

/// The cores of a broker as nodes.
#[derive(Clone, Debug)]
pub struct CoreDoors {
    /// Their ids.
    pub ids: CoreIds,
    /// Their addresses, by core.
    pub endpoints: Vec<Endpoint>,
}

/// A node as a client sees it.
pub(super) struct Node<'a> {
    pub id: i32,
    pub endpoint: &'a Endpoint,
}

/// The nodes as those see them who came in by one door.
#[derive(Clone, Copy)]
pub(super) struct Nodes<'a> {
    shard: &'a Shard,
    door: &'a Door,
}

impl Asked<'_> {
    /// The nodes as this client sees them.
    pub(super) fn nodes(&self) -> Nodes<'_> {
        Nodes {
            shard: &self.context.shard,
            door: &self.context.doors[self.client.listener],
        }
    }
}

impl<'a> Nodes<'a> {
    /// All of them.
    pub fn all(self) -> Vec<Node<'a>> {
        match &self.door.cores {
            None => vec![self.broker()],
            Some(cores) => (0..cores.endpoints.len())
                .map(|core| cores.node(core))
                .collect(),
        }
    }

    /// The one that changes the metadata.
    pub fn controller(self) -> i32 {
        self.at_core(LEADER).id
    }

    /// The one that stands for a core.
    pub fn at_core(self, core: ShardId) -> Node<'a> {
        match &self.door.cores {
            None => self.broker(),
            Some(cores) => cores.node(core.0),
        }
    }

    fn broker(self) -> Node<'a> {
        Node {
            id: self.shard.node_id,
            endpoint: &self.door.listener,
        }
    }

    /// Nodes of the metadata, as the client is told of them where they have to do with this partition. -1 is none and stays.
    pub fn with_partition(self, key: PartitionKey) -> impl Fn(i32) -> i32 + Copy {
        let (me, here) = (self.shard.node_id, self.at_core(self.shard.owner(&key)).id);
        move |node| if node == me { here } else { node }
    }

    /// The node of the metadata that the client means by an id.
    pub fn meant_by(self, id: i32) -> i32 {
        match &self.door.cores {
            None => id,
            Some(cores) => cores.ids.meant_by(id),
        }
    }

    /// As [`Nodes::meant_by`], of a broker's name among resources; what is no number stays what it is.
    pub fn meant_by_name(self, name: &Text) -> Text {
        match name.parse::<i32>() {
            Ok(id) if self.meant_by(id) != id => Text::from(self.meant_by(id).to_string()),
            _ => name.clone(),
        }
    }

    /// Whether only what this core has is asked for, where clients ask every node and add up.
    pub fn only_this_core(self) -> bool {
        self.door.to_one_core
    }
}

impl CoreDoors {
    fn node(&self, core: usize) -> Node<'_> {
        Node {
            id: self.ids.of_core(core),
            endpoint: &self.endpoints[core],
        }
    }
}
