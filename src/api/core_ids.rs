//! Ids under which the cores of a broker are nodes of their own, to clients that are told of cores.
//!
//! Metadata gives each node one address, so a core with an address of its own needs an id of its own. Ids are read by people too: of node
//! 17, core 3 is `2 00017 003`.
//!
//! ```text
//! 2 000 000 000 + node * 1000 + core        node 0 to 99 999, core 0 to 999: 2 000 000 000 to 2 099 999 999
//! ```
//!
//! The range is far from ids that are given out (Kafka gives 1001 and up by itself, people small ones; both start at 0), fits the protocol's 32
//! bits, and lies above half of them: Java's client keeps its connection to a coordinator under 2 147 483 647 - id, which for ids of this
//! range is below 147 483 648 and so never one of them. Librdkafka, franz-go and others use negative ids for bootstrap servers only.
//! These ids are names in answers and requests: never in the metadata log, never in a file.

use thiserror::Error;

const FIRST: i32 = 2_000_000_000;
const CORES_PER_NODE: i32 = 1_000;
/// The greatest node id whose cores have ids.
const GREATEST_NODE: i32 = 99_999;

/// Why cores cannot be told to clients.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum CoreIdError {
    /// The node's own id is too large.
    #[error(
        "node.id={0} leaves no ids for core listeners, which take one up to 99999: choose a smaller node.id, or start without them"
    )]
    Node(i32),
    /// There are too many cores.
    #[error(
        "core listeners take up to 1000 cores and the broker runs on {0}: use fewer (--cores), or start without them"
    )]
    Cores(usize),
}

/// The ids of this broker: its own, and one for each of its cores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CoreIds {
    node: i32,
    cores: i32,
}

impl CoreIds {
    /// The ids of a node with so many cores.
    ///
    /// # Errors
    /// When the range does not hold them.
    pub fn new(node: i32, cores: usize) -> Result<CoreIds, CoreIdError> {
        if !(0..=GREATEST_NODE).contains(&node) {
            return Err(CoreIdError::Node(node));
        }
        match i32::try_from(cores) {
            Ok(count) if count <= CORES_PER_NODE => Ok(CoreIds { node, cores: count }),
            _ => Err(CoreIdError::Cores(cores)),
        }
    }

    /// The id of a core.
    pub fn of_core(self, core: usize) -> i32 {
        let core = i32::try_from(core).unwrap_or(i32::MAX);
        assert!(core < self.cores, "core {core} of {}", self.cores);
        FIRST + self.node * CORES_PER_NODE + core
    }

    /// The node that a client means by an id: this one, if the id is one of its cores'; whatever else it is, as it is.
    pub fn meant_by(self, id: i32) -> i32 {
        let first = FIRST + self.node * CORES_PER_NODE;
        match (first..first + self.cores).contains(&id) {
            true => self.node,
            false => id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_s_id_reads_as_node_and_core_and_means_its_node() {
        let ids = CoreIds::new(17, 4).unwrap();
        assert_eq!(ids.of_core(3), 2_000_017_003);
        for core in 0..4 {
            assert_eq!(ids.meant_by(ids.of_core(core)), 17);
        }
    }

    #[test]
    fn ids_of_others_stay_what_they_are() {
        let ids = CoreIds::new(17, 4).unwrap();
        for id in [-1, 0, 17, 18, 1001, 2_000_017_004, 2_000_016_003, i32::MAX] {
            assert_eq!(ids.meant_by(id), id);
        }
    }

    #[test]
    fn no_id_is_another_one_as_java_s_client_writes_coordinators() {
        let least = CoreIds::new(0, 1).unwrap().of_core(0);
        let greatest = CoreIds::new(GREATEST_NODE, 1000).unwrap().of_core(999);
        assert_eq!((least, greatest), (2_000_000_000, 2_099_999_999));
        assert!(i32::MAX - least < least && i32::MAX - greatest < least);
    }

    #[test]
    fn what_the_range_cannot_hold_is_refused() {
        assert_eq!(CoreIds::new(100_000, 1), Err(CoreIdError::Node(100_000)));
        assert_eq!(CoreIds::new(i32::MAX, 1), Err(CoreIdError::Node(i32::MAX)));
        assert_eq!(CoreIds::new(1, 1001), Err(CoreIdError::Cores(1001)));
        assert!(CoreIds::new(99_999, 1000).is_ok());
    }
}
