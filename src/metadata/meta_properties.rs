//! `meta.properties`: whose directory this is.
//!
//! Version 1 names cluster, node and directory; version 0, of brokers before KRaft, has `broker.id` and no directory. A directory of
//! version 0 is read and keeps its file.

use crate::types::id_text;
use thiserror::Error;
use uuid::Uuid;

/// A node's identity, as its data directory has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetaProperties {
    /// The cluster's id, as it stands there.
    pub cluster_id: String,
    /// The node's id.
    pub node_id: i32,
    /// The directory's id; nil in version 0.
    pub directory_id: Uuid,
}

/// Why a directory is not this node's.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum MetaPropertiesError {
    /// A property is missing or not what it should be.
    #[error("{name} is {found:?}, {expected} is needed; is this file damaged?")]
    Property {
        /// Which one.
        name: &'static str,
        /// What stands there; empty if nothing.
        found: String,
        /// What should.
        expected: &'static str,
    },
    /// Another node's directory.
    #[error(
        "the directory belongs to node {found}, this broker is node {configured}: set `node.id={found}`, or choose another directory with `log.dirs`"
    )]
    OtherNode {
        /// In the file.
        found: i32,
        /// In the configuration.
        configured: i32,
    },
}

impl MetaProperties {
    /// The identity of a new node in a new cluster.
    pub fn fresh(node_id: i32) -> MetaProperties {
        MetaProperties {
            cluster_id: id_text::encode(id_text::random()),
            node_id,
            directory_id: id_text::random(),
        }
    }

    /// Reads the file's text; it must be of this node, where one is configured.
    ///
    /// # Errors
    /// See [`MetaPropertiesError`].
    pub fn parse(text: &str, node_id: Option<i32>) -> Result<MetaProperties, MetaPropertiesError> {
        let value = |name: &str| {
            text.lines()
                .filter_map(|line| line.split_once('='))
                .find(|(key, _)| key.trim() == name)
                .map(|(_, value)| value.trim().to_owned())
                .unwrap_or_default()
        };
        let version = value("version");
        let id_name = match version.as_str() {
            "0" => "broker.id",
            "1" => "node.id",
            _ => return Err(wrong("version", version, "0 or 1")),
        };
        let found = value(id_name);
        let found: i32 = found
            .parse()
            .map_err(|_| wrong(id_name, found, "a number"))?;
        if let Some(configured) = node_id.filter(|&configured| configured != found) {
            return Err(MetaPropertiesError::OtherNode { found, configured });
        }
        let cluster_id = value("cluster.id");
        if cluster_id.is_empty() {
            return Err(wrong("cluster.id", cluster_id, "a name"));
        }
        let directory = value("directory.id");
        let directory_id = match (version.as_str(), id_text::decode(&directory)) {
            (_, Some(id)) => id,
            ("0", None) => Uuid::nil(),
            (_, None) => return Err(wrong("directory.id", directory, "an id of 22 characters")),
        };
        Ok(MetaProperties {
            cluster_id,
            node_id: found,
            directory_id,
        })
    }

    /// The text of the file, version 1.
    pub fn render(&self) -> String {
        format!(
            "version=1\ncluster.id={}\nnode.id={}\ndirectory.id={}\n",
            self.cluster_id,
            self.node_id,
            id_text::encode(self.directory_id)
        )
    }
}

fn wrong(name: &'static str, found: String, expected: &'static str) -> MetaPropertiesError {
    MetaPropertiesError::Property {
        name,
        found,
        expected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_by_the_same_node_only() {
        let mine = MetaProperties::fresh(1);
        assert_eq!(
            MetaProperties::parse(&mine.render(), Some(1)),
            Ok(mine.clone())
        );
        let other = MetaProperties::parse(&mine.render(), Some(2));
        assert!(matches!(
            other,
            Err(MetaPropertiesError::OtherNode { found: 1, .. })
        ));
    }

    #[test]
    fn a_file_of_kafka_with_comments_and_of_version_0_is_understood() {
        let text = "#\n#Tue Nov 24\ncluster.id=abc\nversion=0\nbroker.id=3\n";
        let read = MetaProperties::parse(text, None).unwrap();
        assert_eq!(
            (read.cluster_id.as_str(), read.directory_id.is_nil()),
            ("abc", true)
        );
    }

    #[test]
    fn a_damaged_file_is_refused_by_property() {
        for (text, name) in [
            ("", "version"),
            ("version=1\nnode.id=x\n", "node.id"),
            ("version=1\nnode.id=1\n", "cluster.id"),
            ("version=1\nnode.id=1\ncluster.id=a\n", "directory.id"),
        ] {
            match MetaProperties::parse(text, Some(1)) {
                Err(MetaPropertiesError::Property { name: found, .. }) => assert_eq!(found, name),
                other => panic!("{text:?}: {other:?}"),
            }
        }
    }
}
