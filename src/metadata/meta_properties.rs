//! `meta.properties`: which node of which cluster a data directory belongs to.
//!
//! Text in, text out; reading and writing the file is the caller's. Formats, as Kafka's `MetaProperties` has them:
//!
//! | version | keys |
//! |---|---|
//! | 0 (until ZooKeeper went) | `version`, `broker.id`, and mostly `cluster.id` |
//! | 1 | `version`, `cluster.id`, `node.id`, and mostly `directory.id` |
//!
//! Version 0 is read so that such a directory can be refused by name: its topics are in ZooKeeper. Version 1 is written.

use uuid::Uuid;

use crate::config::reader::read_properties;
use crate::types::kafka_uuid;

/// Longest cluster id that is accepted, in bytes; Kafka makes them 22.
const CLUSTER_ID_MAX_BYTES: usize = 255;

/// The owner of a data directory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MetaProperties {
    /// Id of the cluster.
    pub cluster_id: String,
    /// Number of the node in it.
    pub node_id: i32,
    /// Id of this directory.
    pub directory_id: Uuid,
}

/// What a `meta.properties` says, as far as it says it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredMetaProperties {
    /// Format of the text: 0 or 1.
    pub version: i32,
    /// Id of the cluster; always there in version 1.
    pub cluster_id: Option<String>,
    /// Number of the node; always there in version 1.
    pub node_id: Option<i32>,
    /// Id of the directory.
    pub directory_id: Option<Uuid>,
}

/// A `meta.properties` that cannot be obeyed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum MetaPropertiesError {
    /// Not a text of Java properties.
    #[error(
        "meta.properties is damaged in line {line}; restore it, or move the data directory away"
    )]
    Malformed {
        /// Line, from 1.
        line: usize,
    },
    /// A key is missing.
    #[error("meta.properties has no {key}; restore it, or move the data directory away")]
    Missing {
        /// The key.
        key: &'static str,
    },
    /// A value cannot be read.
    #[error(
        "meta.properties says {key}={value}, which cannot be; restore it, or move the data directory away"
    )]
    BadValue {
        /// The key.
        key: &'static str,
        /// The value.
        value: String,
    },
    /// The metadata of its topics is in ZooKeeper.
    #[error(
        "the data directory was written under ZooKeeper (version=0), which has the names and settings of its topics: move the cluster to KRaft with Kafka 3.9 first, or choose another directory"
    )]
    ZooKeeper,
    /// The directory is another node's.
    #[error(
        "the data directory belongs to node {stored}, but node.id is {configured}; set node.id={stored}, or choose another directory"
    )]
    OtherNode {
        /// The node in the text.
        stored: i32,
        /// The node that wants to run.
        configured: i32,
    },
}

impl StoredMetaProperties {
    /// Reads the text of a file.
    ///
    /// # Errors
    /// [`MetaPropertiesError`] when it is no such text, or of a version this broker does not know.
    pub fn parse(text: &str) -> Result<StoredMetaProperties, MetaPropertiesError> {
        let entries =
            read_properties(text).map_err(|malformed| MetaPropertiesError::Malformed {
                line: malformed.line,
            })?;
        let value = |key: &str| {
            entries
                .iter()
                .rev()
                .find(|entry| entry.key == key)
                .map(|entry| entry.value.clone())
        };
        let version = match value("version") {
            Some(text) => number("version", text)?,
            None => return Err(MetaPropertiesError::Missing { key: "version" }),
        };
        let node_key = match version {
            0 => "broker.id",
            1 => "node.id",
            _ => {
                return Err(MetaPropertiesError::BadValue {
                    key: "version",
                    value: version.to_string(),
                });
            }
        };
        let cluster_id = value("cluster.id").map(cluster_id).transpose()?;
        let node_id = value(node_key)
            .map(|text| number(node_key, text))
            .transpose()?;
        let directory_id = value("directory.id").map(directory_id).transpose()?;
        match (version, &cluster_id, node_id) {
            (1, None, _) => Err(MetaPropertiesError::Missing { key: "cluster.id" }),
            (1, _, None) => Err(MetaPropertiesError::Missing { key: "node.id" }),
            _ => Ok(StoredMetaProperties {
                version,
                cluster_id,
                node_id,
                directory_id,
            }),
        }
    }

    /// The owner, for a node configured as `node_id` (none: whatever the text says, else `first_node_id`). What the text does
    /// not say is made up; the second value tells whether anything was, so that it must be written.
    ///
    /// # Errors
    /// [`MetaPropertiesError::OtherNode`] when the directory is another node's, [`MetaPropertiesError::ZooKeeper`] when its metadata
    /// is elsewhere.
    pub fn claim(
        self,
        node_id: Option<i32>,
        first_node_id: i32,
    ) -> Result<(MetaProperties, bool), MetaPropertiesError> {
        if let (Some(stored), Some(configured)) = (self.node_id, node_id)
            && stored != configured
        {
            return Err(MetaPropertiesError::OtherNode { stored, configured });
        }
        if self.version == 0 {
            return Err(MetaPropertiesError::ZooKeeper);
        }
        let complete = self.directory_id.is_some();
        let owner = MetaProperties {
            cluster_id: self.cluster_id.unwrap_or_else(new_cluster_id),
            node_id: self.node_id.or(node_id).unwrap_or(first_node_id),
            directory_id: self.directory_id.unwrap_or_else(kafka_uuid::random),
        };
        Ok((owner, !complete))
    }
}

impl MetaProperties {
    /// The owner of a directory that has none: a new cluster.
    pub fn new_cluster(node_id: i32) -> MetaProperties {
        MetaProperties {
            cluster_id: new_cluster_id(),
            node_id,
            directory_id: kafka_uuid::random(),
        }
    }

    /// The text of the file, version 1.
    pub fn to_text(&self) -> String {
        format!(
            "version=1\ncluster.id={}\nnode.id={}\ndirectory.id={}\n",
            self.cluster_id,
            self.node_id,
            kafka_uuid::encode(self.directory_id)
        )
    }
}

fn new_cluster_id() -> String {
    kafka_uuid::encode(kafka_uuid::random())
}

fn number(key: &'static str, text: String) -> Result<i32, MetaPropertiesError> {
    match text.parse::<i32>() {
        Ok(number) if number >= 0 => Ok(number),
        _ => Err(MetaPropertiesError::BadValue { key, value: text }),
    }
}

fn cluster_id(text: String) -> Result<String, MetaPropertiesError> {
    let legal = |c: char| c.is_ascii_graphic() && c != '\\';
    if text.is_empty() || text.len() > CLUSTER_ID_MAX_BYTES || !text.chars().all(legal) {
        return Err(MetaPropertiesError::BadValue {
            key: "cluster.id",
            value: text,
        });
    }
    Ok(text)
}

fn directory_id(text: String) -> Result<Uuid, MetaPropertiesError> {
    kafka_uuid::decode(&text).ok_or(MetaPropertiesError::BadValue {
        key: "directory.id",
        value: text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Apache Kafka writes it, comment and order included.
    const BY_KAFKA: &str = "#\n#Tue Nov 24 03:12:06 UTC 2026\nnode.id=1\ndirectory.id=5yQHvCxVRJC98pfBzuD0LA\n\
                            version=1\ncluster.id=MkU3OEVBNTcwNTJENDM2Qk\n";

    fn parse(text: &str) -> StoredMetaProperties {
        StoredMetaProperties::parse(text).unwrap()
    }

    #[test]
    fn what_kafka_wrote_is_claimed_as_it_is() {
        let (owner, changed) = parse(BY_KAFKA).claim(Some(1), 9).unwrap();
        assert!(!changed);
        assert_eq!(
            (owner.cluster_id.as_str(), owner.node_id),
            ("MkU3OEVBNTcwNTJENDM2Qk", 1)
        );
        assert_eq!(
            kafka_uuid::encode(owner.directory_id),
            "5yQHvCxVRJC98pfBzuD0LA"
        );
        assert_eq!(
            parse(BY_KAFKA).claim(None, 9).unwrap().0,
            owner,
            "an unset node.id takes the stored one"
        );
    }

    #[test]
    fn what_is_written_reads_back() {
        let owner = MetaProperties::new_cluster(7);
        assert_eq!(
            parse(&owner.to_text()).claim(Some(7), 1).unwrap(),
            (owner, false)
        );
    }

    #[test]
    fn a_directory_of_the_time_of_zookeeper_is_read_and_not_claimed() {
        let stored = parse("version=0\nbroker.id=3\ncluster.id=abc");
        assert_eq!((stored.version, stored.node_id), (0, Some(3)));
        assert_eq!(
            stored.claim(None, 1).unwrap_err(),
            MetaPropertiesError::ZooKeeper
        );
    }

    #[test]
    fn a_directory_without_an_id_gets_one() {
        let (owner, changed) = parse("version=1\nnode.id=1\ncluster.id=abc")
            .claim(Some(1), 1)
            .unwrap();
        assert!(changed && !owner.directory_id.is_nil());
    }

    #[test]
    fn the_directory_of_another_node_is_refused_with_what_to_do() {
        let sentence = parse(BY_KAFKA).claim(Some(2), 1).unwrap_err().to_string();
        assert_eq!(
            sentence,
            "the data directory belongs to node 1, but node.id is 2; set node.id=1, or choose another directory"
        );
    }

    #[test]
    fn damaged_texts_are_refused_by_key() {
        let cases = [
            ("", "has no version"),
            ("version=7", "says version=7"),
            ("version=1\nnode.id=1", "has no cluster.id"),
            ("version=1\ncluster.id=abc", "has no node.id"),
            ("version=1\ncluster.id=abc\nnode.id=-1", "says node.id=-1"),
            ("version=1\ncluster.id=abc\nnode.id=x", "says node.id=x"),
            ("version=1\ncluster.id=\nnode.id=1", "says cluster.id="),
            ("version=1\ncluster.id=a\\nb\nnode.id=1", "says cluster.id="),
            (
                "version=1\ncluster.id=abc\nnode.id=1\ndirectory.id=short",
                "says directory.id=short",
            ),
            ("version=\\u1", "damaged in line 1"),
        ];
        for (text, words) in cases {
            let sentence = StoredMetaProperties::parse(text)
                .expect_err(text)
                .to_string();
            assert!(sentence.contains(words), "{text:?}: {sentence}");
        }
    }
}
